import RealModule

/// x_σ = x_0 + σ·ε with σ itself as time: dx = √(2σ) dw (Karras, Aittala, Aila, Laine: "Elucidating the design space of
/// diffusion-based generative models", arXiv:2206.00364, table 1, last column).
package struct EDMProcess: ForwardProcess, Equatable {
  package let sigmaMin: Double
  package let sigmaMax: Double
  /// ρ, which makes the sampling times denser at low noise.
  package let rho: Double

  /// - Throws: `DiffusionError` unless 0 < sigmaMin < sigmaMax and rho ≥ 1.
  package init(sigmaMin: Double = 0.002, sigmaMax: Double = 80, rho: Double = 7) throws(DiffusionError) {
    try require(
      sigmaMin > 0 && sigmaMax > sigmaMin && sigmaMax.isFinite, "sigma_min",
      "σ must be positive and increase, but goes from \(sigmaMin) to \(sigmaMax)")
    try require(rho >= 1 && rho.isFinite, "rho", "\(rho) must be at least 1")
    self.sigmaMin = sigmaMin
    self.sigmaMax = sigmaMax
    self.rho = rho
  }

  package var times: ClosedRange<Double> { sigmaMin...sigmaMax }
  package var timeIsSigma: Bool { true }

  package func marginal(at time: Double) -> Marginal { Marginal(signal: 1, sigma: time) }
  package func drift(at time: Double) -> Double { 0 }
  package func squaredDiffusion(at time: Double) -> Double { 2 * time }

  /// c_noise = ¼·ln σ (table 1).
  package func networkTime(at time: Double) -> Double { .log(time) / 4 }

  /// Also c_noise.
  package func logarithmicNetworkTime(at time: Double) -> Double { networkTime(at: time) }

  /// σ_i = (σ_max^(1/ρ) + i/(N − 1)·(σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ (equation 5), with N = steps + 1. The final step
  /// from σ_min to 0 is not included.
  package func samplingTimes(steps: Int) -> [Double] {
    descendingLevels(from: sigmaMax, to: sigmaMin, steps: steps, rho: rho)
  }
}

/// `steps` + 1 noise levels whose ρ-th roots are equally spaced (Karras et al., equation 5).
func descendingLevels(from maximum: Double, to minimum: Double, steps: Int, rho: Double) -> [Double] {
  let (first, last) = (Double.pow(maximum, 1 / rho), Double.pow(minimum, 1 / rho))
  return (0...steps).map { $0 == steps ? minimum : .pow(first + (last - first) * Double($0) / Double(steps), rho) }
}
