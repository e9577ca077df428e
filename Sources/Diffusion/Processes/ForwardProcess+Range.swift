/// A time at which a process cannot be computed accurately.
package enum UnworkableTime: Sendable, Equatable {
  /// The noise, or the noise added by a step, is too small to be distinguished from none.
  case littleNoise(Double)
  /// The signal is too small beside the noise to be distinguished from none.
  case littleSignal(Double)
}

extension ForwardProcess {
  /// The first time at which the signal-to-noise ratio, α²/σ², is above `largestSignalToNoise`, below its reciprocal,
  /// or no longer decreasing; nil if there is none. The last step of a discrete process may have no signal at all.
  package var firstUnworkableTime: UnworkableTime? {
    let times = timesToCheck
    var last = Double.infinity
    for time in times {
      let marginal = marginal(at: time)
      let ratio = marginal.signalToNoise
      if time == times.last, marginal.signal == 0 { return nil }
      if !(ratio <= largestSignalToNoise && ratio < last) { return .littleNoise(time) }
      if !(ratio >= 1 / largestSignalToNoise) { return .littleSignal(time) }
      last = ratio
    }
    return nil
  }

  /// Networks, losses and images are 32-bit floats, which reach 3·10³⁸, and sums of them must not overflow.
  private var largestSignalToNoise: Double { 1e30 }

  /// All steps, or evenly spaced training times.
  private var timesToCheck: [Double] {
    if let discrete { return (0..<discrete.steps).map(Double.init) }
    let (first, last) = (trainingTimes.lowerBound, trainingTimes.upperBound)
    return (0...1000).map { first + (last - first) * Double($0) / 1000 }
  }
}
