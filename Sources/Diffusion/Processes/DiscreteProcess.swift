import RealModule

/// A process of T steps, counted from 0 to T − 1; the image itself lies "before step 0".
///
/// The process is continued between the steps, so that a model trained on the steps also works with continuous
/// samplers: log ᾱ, or log σ for the variance-exploding process, is interpolated smoothly and defines a differential
/// equation over 0 ≤ t ≤ T − 1. If step T − 1 leaves nothing of the image, log ᾱ is minus infinity there, and the
/// equation covers 0 ≤ t ≤ T − 2.
package struct DiscreteProcess: ForwardProcess, Equatable {
  package enum Family: String, Sendable {
    /// α² + σ² = 1 (Ho, Jain, Abbeel, arXiv:2006.11239).
    case variancePreserving
    /// α = 1 (Song, Ermon, arXiv:1907.05600; as a chain of steps in Song et al., arXiv:2011.13456, equation 8).
    case varianceExploding
  }

  package let family: Family
  /// α and σ after each step.
  package let marginals: [Marginal]
  /// The network's time input for each step.
  private let networkTimes: [Double]
  /// log ᾱ, or log σ, after each step.
  private let logarithms: [Double]
  /// Interpolates `logarithms` between the steps, as far as they are finite.
  private let curve: MonotoneCubic

  private init(_ family: Family, _ marginals: [Marginal], logarithms: [Double], networkTimes: [Double]) {
    self.family = family
    self.marginals = marginals
    self.logarithms = logarithms
    curve = MonotoneCubic(logarithms.last?.isFinite == true ? logarithms : logarithms.dropLast())
    self.networkTimes = networkTimes
  }

  /// x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε.
  package init(schedule: NoiseSchedule) {
    self.init(
      .variancePreserving,
      schedule.cumulativeAlphas.map { Marginal(signal: $0.squareRoot(), sigma: (1 - $0).squareRoot()) },
      logarithms: schedule.cumulativeAlphas.map { .log($0) }, networkTimes: schedule.betas.indices.map(Double.init))
  }

  /// x_t = x_0 + σ_t·ε with σ growing geometrically from `sigmaMin` to `sigmaMax` over `steps` steps (Song, Ermon: "Generative
  /// modeling by estimating gradients of the data distribution", arXiv:1907.05600).
  /// - Throws: `DiffusionError` naming `steps`, `sigma_min` or `sigma_max`.
  package static func varianceExploding(
    steps: Int, sigmaMin: Double = 0.01, sigmaMax: Double = 50
  ) throws(DiffusionError) -> DiscreteProcess {
    try require(steps >= 2, "steps", "\(steps) steps are too few; at least 2 are needed")
    try VarianceExplodingSDE.check(sigmaMin: sigmaMin, sigmaMax: sigmaMax)
    let (first, range) = (Double.log(sigmaMin), Double.log(sigmaMax / sigmaMin))
    let logarithms = (0..<steps).map { first + range * Double($0) / Double(steps - 1) }
    return DiscreteProcess(
      .varianceExploding, logarithms.map { Marginal(signal: 1, sigma: .exp($0)) }, logarithms: logarithms,
      networkTimes: (0..<steps).map(Double.init))
  }

  package var discrete: DiscreteProcess? { self }

  /// T.
  package var steps: Int { marginals.count }

  /// Whether the last step leaves nothing of the image.
  package var hasZeroTerminalSNR: Bool { marginals[steps - 1].signal == 0 }

  /// q(x_t | x_{t−1}) and its inverse.
  package func transition(to step: Int) -> Transition {
    let (earlier, later) = (step == 0 ? Marginal.clean : marginals[step - 1], marginals[step])
    guard family == .variancePreserving else { return Transition(from: earlier, to: later) }
    // The variance is 1 − ᾱ_t/ᾱ_{t−1}, computed without subtracting nearly equal numbers; the ratio is √(ᾱ_t/ᾱ_{t−1}).
    let change = logarithms[step] - (step == 0 ? 0 : logarithms[step - 1])
    return Transition(earlier: earlier, later: later, ratio: .exp(change / 2), variance: -Double.expMinusOne(change))
  }

  /// The process that visits only some of the steps, with the same marginals at those steps (Nichol, Dhariwal,
  /// arXiv:2102.09672, section 4).
  /// - Parameter kept: the steps to visit, ascending, without repetition, each below `steps`.
  package func respaced(keeping kept: [Int]) -> DiscreteProcess {
    precondition(!kept.isEmpty && kept.first! >= 0 && kept.last! < steps, "kept steps must lie in 0..<\(steps)")
    precondition(zip(kept, kept.dropFirst()).allSatisfy(<), "kept steps must ascend")
    return DiscreteProcess(
      family, kept.map { marginals[$0] }, logarithms: kept.map { logarithms[$0] },
      networkTimes: kept.map { networkTimes[$0] })
  }

  /// The same process with the network's time input t·1000/T for step t, as if there were 1000 steps
  /// (`rescale_timesteps` in the code of Nichol and Dhariwal, arXiv:2102.09672). Call it before steps are left out.
  package func rescalingNetworkTimes() -> DiscreteProcess {
    DiscreteProcess(
      family, marginals, logarithms: logarithms, networkTimes: networkTimes.map { $0 * 1000 / Double(steps) })
  }

  // MARK: In continuous time

  package var times: ClosedRange<Double> { 0...Double(max(1, curve.values.count) - 1) }

  package func marginal(at time: Double) -> Marginal {
    let whole = time.rounded()
    if whole == time, (0..<steps).contains(Int(whole)) { return marginals[Int(whole)] }
    let value = curve.value(at: time)
    return family == .varianceExploding
      ? Marginal(signal: 1, sigma: .exp(value))
      : Marginal(signal: .exp(value / 2), sigma: (-Double.expMinusOne(value)).squareRoot())
  }

  /// 1 for the variance-preserving process: x_T ~ N(0, I) (Ho, Jain, Abbeel, algorithm 2).
  package func priorSigma(at time: Double) -> Double {
    family == .variancePreserving ? 1 : marginal(at: time).sigma
  }

  package func networkTime(at time: Double) -> Double {
    if steps == 1 { return networkTimes[0] }
    let first = max(0, min(steps - 2, Int(time.rounded(.down))))
    return networkTimes[first] + (networkTimes[first + 1] - networkTimes[first]) * (time - Double(first))
  }

  /// log σ for the variance-exploding process.
  package func logarithmicNetworkTime(at time: Double) -> Double {
    family == .varianceExploding ? .log(marginal(at: time).sigma) : .log(networkTime(at: time))
  }

  package func drift(at time: Double) -> Double {
    family == .varianceExploding ? 0 : curve.slope(at: time) / 2
  }

  package func squaredDiffusion(at time: Double) -> Double {
    let slope = curve.slope(at: time)
    guard family == .varianceExploding else { return -slope }
    let sigma = marginal(at: time).sigma
    return 2 * sigma * sigma * slope
  }
}
