/// A step x_t = ratio·x_s + √variance·z of a chain that becomes the process as its steps grow in number.
package struct ChainLink: Sendable {
  /// t, and the marginal there.
  let time: Double
  let marginal: Marginal
  let ratio: Double
  let variance: Double
}

extension ForwardProcess {
  package func chain(steps: Int) -> [ChainLink] {
    let times = timesBeforeImage(steps: steps)
    return links(at: times, transitionsBetween: times)
  }

  /// Links at times whose transitions are those between others, and from the last of these to the image.
  func links(at times: [Double], transitionsBetween others: [Double]) -> [ChainLink] {
    times.indices.map { index in
      let transition = Transition(
        from: index + 1 < others.count ? marginal(at: others[index + 1]) : .clean, to: marginal(at: others[index]))
      return ChainLink(
        time: times[index], marginal: marginal(at: times[index]), ratio: transition.ratio,
        variance: transition.variance)
    }
  }
}

/// The times of Song et al.'s rates, k/(N − 1) from 1 to 0 for N steps, to which those of `timesBeforeImage` are close.
func timesOfRates(steps: Int) -> [Double] {
  (0..<steps).map { steps == 1 ? 1 : Double(steps - 1 - $0) / Double(steps - 1) }
}
