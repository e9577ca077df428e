import RealModule

/// dx = σ(t)·√(2·ln(σ_max/σ_min)) dw with σ(t) = σ_min·(σ_max/σ_min)^t over 0 ≤ t ≤ 1: noise is added, and the signal
/// is kept (Song et al., arXiv:2011.13456, equations 9 and 30).
package struct VarianceExplodingSDE: ForwardProcess, Equatable {
  package let sigmaMin: Double
  package let sigmaMax: Double

  /// - Parameters:
  ///   - sigmaMin: σ_min.
  ///   - sigmaMax: σ_max, about the largest distance between two images of the data set.
  /// - Throws: `DiffusionError` unless 0 < sigmaMin < sigmaMax.
  package init(sigmaMin: Double = 0.01, sigmaMax: Double = 50) throws(DiffusionError) {
    try Self.check(sigmaMin: sigmaMin, sigmaMax: sigmaMax)
    self.sigmaMin = sigmaMin
    self.sigmaMax = sigmaMax
  }

  /// Checks the noise levels of a process that only adds noise.
  static func check(sigmaMin: Double, sigmaMax: Double) throws(DiffusionError) {
    try require(sigmaMin > 0 && sigmaMin.isFinite, "sigma_min", "σ_min = \(sigmaMin) must be positive")
    try require(
      sigmaMax > sigmaMin && sigmaMax.isFinite, "sigma_max", "σ_max = \(sigmaMax) must be above σ_min = \(sigmaMin)")
  }

  private var logarithmicRange: Double { .log(sigmaMax / sigmaMin) }

  package var times: ClosedRange<Double> { 1e-5...1 }

  package func marginal(at time: Double) -> Marginal {
    Marginal(signal: 1, sigma: sigmaMin * .exp(time * logarithmicRange))
  }

  package func drift(at time: Double) -> Double { 0 }

  package func squaredDiffusion(at time: Double) -> Double {
    let sigma = marginal(at: time).sigma
    return 2 * sigma * sigma * logarithmicRange
  }

  /// The change of σ² at the times of the rates.
  package func chain(steps: Int) -> [ChainLink] {
    links(at: timesBeforeImage(steps: steps), transitionsBetween: timesOfRates(steps: steps))
  }

  /// In the range of networks for 1000 discrete steps; a linear function of log σ.
  package func networkTime(at time: Double) -> Double { 999 * time }

  package func logarithmicNetworkTime(at time: Double) -> Double { .log(sigmaMin) + time * logarithmicRange }
}
