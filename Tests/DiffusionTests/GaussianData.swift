/// Data whose every element is normal, N(mean, standardDeviation²), so that all its properties are known in closed
/// form.
struct GaussianData {
  let mean: Double
  let standardDeviation: Double

  /// The optimal noise prediction, E[ε | x_t] = √(1 − ᾱ) (x_t − √ᾱ m) / (ᾱ s² + 1 − ᾱ).
  func expectedNoise(_ x: Double, cumulativeAlpha: Double) -> Double {
    (1 - cumulativeAlpha).squareRoot() * (x - cumulativeAlpha.squareRoot() * mean)
      / (cumulativeAlpha * standardDeviation * standardDeviation + 1 - cumulativeAlpha)
  }

  /// The mean and variance of the result of ancestral sampling with the optimal denoiser, computed by propagating both
  /// through the paper's algorithm 2, x_{t−1} = (x_t − β_t / √(1 − ᾱ_t) ε) / √α_t + σ_t z, which is linear here.
  func momentsAfterSampling(cumulativeAlphas: [Double], largeVariance: Bool) -> (mean: Double, variance: Double) {
    var moments = (mean: 0.0, variance: 1.0)
    for step in cumulativeAlphas.indices.reversed() {
      let cumulative = cumulativeAlphas[step]
      let before = step > 0 ? cumulativeAlphas[step - 1] : 1
      let alpha = cumulative / before
      let weight = (1 - alpha) / (1 - cumulative).squareRoot()
      let atZero = expectedNoise(0, cumulativeAlpha: cumulative)
      let slope = expectedNoise(1, cumulativeAlpha: cumulative) - atZero
      let factor = (1 - weight * slope) / alpha.squareRoot()
      let noise = step == 0 ? 0 : largeVariance ? 1 - alpha : (1 - alpha) * (1 - before) / (1 - cumulative)
      moments = (
        factor * moments.mean - weight * atZero / alpha.squareRoot(), factor * factor * moments.variance + noise
      )
    }
    return moments
  }
}
