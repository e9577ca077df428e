import Tensors

/// The discrete process of Ho, Jain, Abbeel: "Denoising diffusion probabilistic models", NeurIPS 2020 (arXiv
/// 2006.11239): q(x_t | x_{t−1}) = N(√α_t · x_{t−1}, β_t I). The variance of data with unit variance stays 1.
///
/// Steps t are counted from 0 to T − 1; the paper's x_0, the image itself, lies "before step 0" with ᾱ = 1.
public struct VariancePreservingProcess: Sendable, Equatable {
  public let schedule: NoiseSchedule

  public init(schedule: NoiseSchedule) {
    self.schedule = schedule
  }

  /// T, the number of steps.
  public var steps: Int { schedule.steps }

  /// q(x_t | x_0) = N(signal · x_0, deviation² I).
  public struct Marginal: Sendable, Equatable {
    /// √ᾱ_t.
    public let signal: Double
    /// √(1 − ᾱ_t).
    public let deviation: Double
  }

  /// The distribution of x_t given the image (equation 4).
  public func marginal(at step: Int) -> Marginal {
    let cumulative = schedule.cumulativeAlphas[step]
    return Marginal(signal: cumulative.squareRoot(), deviation: (1 - cumulative).squareRoot())
  }

  /// q(x_{t−1} | x_t, x_0) = N(original · x_0 + noisy · x_t, variance I).
  public struct Posterior: Sendable, Equatable {
    /// √ᾱ_{t−1} · β_t / (1 − ᾱ_t).
    public let original: Double
    /// √α_t · (1 − ᾱ_{t−1}) / (1 − ᾱ_t).
    public let noisy: Double
    /// β̃_t = β_t · (1 − ᾱ_{t−1}) / (1 − ᾱ_t); zero at step 0.
    public let variance: Double
  }

  /// The distribution of the step before, given x_t and the image (equations 6 and 7).
  public func posterior(at step: Int) -> Posterior {
    // With ᾱ = 1 before step 0, that step's posterior is the image itself, exactly.
    if step == 0 { return Posterior(original: 1, noisy: 0, variance: 0) }
    let beta = schedule.betas[step]
    let remaining = 1 - schedule.cumulativeAlphas[step]
    let before = schedule.cumulativeAlphas[step - 1]
    return Posterior(
      original: before.squareRoot() * beta / remaining,
      noisy: schedule.alphas[step].squareRoot() * (1 - before) / remaining,
      variance: beta * (1 - before) / remaining)
  }

  /// x_t = √ᾱ_t · x_0 + √(1 − ᾱ_t) · ε, a sample of q(x_t | x_0) (equation 4).
  /// - Parameters:
  ///   - original: images x_0, [N, H, W, C].
  ///   - noise: standard normal ε, shaped like `original`.
  ///   - timesteps: t of each image, N values in 0..<T.
  public func noised(original: Tensor, noise: Tensor, timesteps: [Int], workers: WorkerPool? = nil) -> Tensor {
    combine(original, noise, timesteps, workers) { step in
      let marginal = marginal(at: step)
      return (marginal.signal, marginal.deviation)
    }
  }

  /// x̂_0 = (x_t − √(1 − ᾱ_t) · ε) / √ᾱ_t, the image that x_t shows if ε is its noise (equation 15).
  /// - Parameters:
  ///   - noisy: images x_t, [N, H, W, C].
  ///   - noise: ε or its prediction, shaped like `noisy`.
  ///   - timesteps: t of each image, N values in 0..<T.
  public func predictedOriginal(noisy: Tensor, noise: Tensor, timesteps: [Int], workers: WorkerPool? = nil) -> Tensor {
    combine(noisy, noise, timesteps, workers) { step in
      let marginal = marginal(at: step)
      return (1 / marginal.signal, -marginal.deviation / marginal.signal)
    }
  }

  /// a_t · first + b_t · second with the factors (a_t, b_t) of each image's step.
  private func combine(
    _ first: Tensor, _ second: Tensor, _ timesteps: [Int], _ workers: WorkerPool?, factors: (Int) -> (Double, Double)
  ) -> Tensor {
    precondition(first.shape == second.shape, "shapes \(first.shape) and \(second.shape) differ")
    precondition(first.shape.first == timesteps.count, "\(timesteps.count) time steps for shape \(first.shape)")
    let result = Tensor(uninitialised: first.shape)
    let imageCount = timesteps.count
    let factorsOfImage = timesteps.map(factors)
    forEachImage(imageCount, workers) { image in
      let (a, b) = factorsOfImage[image]
      for index in elementRange(of: image, in: first) {
        result.pointer[index] = Float(a * Double(first.pointer[index]) + b * Double(second.pointer[index]))
      }
    }
    return result
  }
}
