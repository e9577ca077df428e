import Tensors

/// Walks the process backwards, step by step, with fresh noise (Ho et al. 2020, algorithm 2).
///
/// Each step guesses the image, x̂_0 = (x_t − √(1 − ᾱ_t) ε̂) / √ᾱ_t, and draws x_{t−1} from the posterior
/// q(x_{t−1} | x_t, x̂_0). Without clipping this is line 4 of the algorithm. An image does not depend on the others of
/// its batch, provided that the denoiser treats each alone.
public struct AncestralSampler: Sendable {
  /// The variance σ_t² of a reverse step (Ho et al. 2020, section 3.2).
  public enum Variance: String, Sendable, CaseIterable {
    /// β̃_t, right for data that is a single point.
    case small
    /// β_t, right for standard normal data.
    case large
  }

  /// The time steps of the process that are visited, ascending; what the denoiser is told.
  public let timesteps: [Int]
  public let variance: Variance
  /// Whether x̂_0 is kept within [−1, 1], the range of images.
  public let clipsOriginal: Bool
  /// The process over the visited steps alone.
  private let process: VariancePreservingProcess

  /// - Parameters:
  ///   - process: the process the denoiser was trained for.
  ///   - steps: how many of its steps to visit, evenly spaced; `nil` means all.
  /// - Throws: `DiffusionError` when `steps` is not in 1...process.steps.
  public init(
    process: VariancePreservingProcess, steps: Int? = nil, variance: Variance = .large, clipsOriginal: Bool = true
  ) throws(DiffusionError) {
    timesteps = try process.schedule.evenlySpacedSteps(steps ?? process.steps)
    self.process = VariancePreservingProcess(schedule: process.schedule.respaced(keeping: timesteps))
    self.variance = variance
    self.clipsOriginal = clipsOriginal
  }

  /// Images drawn from the latents.
  /// - Parameters:
  ///   - latents: x_T, [N, H, W, C]; left as they are.
  ///   - noise: what is added after each step but the last.
  ///   - progress: called after each step with the number of steps done.
  /// - Returns: images, shaped like `latents`; about in [−1, 1], and within it when x̂_0 is clipped.
  /// - Throws: what the denoiser throws.
  public func sample(
    from latents: Tensor, denoiser: some Denoiser, noise: SamplerNoise, workers: WorkerPool? = nil,
    progress: ((Int) -> Void)? = nil
  ) throws -> Tensor {
    var current = latents
    for (done, index) in timesteps.indices.reversed().enumerated() {
      let times = [Float](repeating: Float(timesteps[index]), count: latents.shape[0])
      let prediction = try denoiser.predictNoise(current, timesteps: times)
      current = previous(of: current, prediction: prediction, index: index, noise: noise, workers: workers)
      progress?(done + 1)
    }
    return current
  }

  /// x_{t−1} from x_t and the predicted noise, at the visited step number `index`.
  private func previous(
    of current: Tensor, prediction: Tensor, index: Int, noise: SamplerNoise, workers: WorkerPool?
  ) -> Tensor {
    precondition(prediction.shape == current.shape, "a prediction of shape \(prediction.shape) for \(current.shape)")
    let marginal = process.marginal(at: index)
    let posterior = process.posterior(at: index)
    let deviation = variance == .small ? posterior.variance.squareRoot() : process.schedule.betas[index].squareRoot()
    let result = Tensor(uninitialised: current.shape)
    forEachImage(current.shape[0], workers) { image in
      let range = elementRange(of: image, in: current)
      let isLast = index == 0
      if !isLast {
        noise.fill(result.pointer + range.lowerBound, count: range.count, image: image, timestep: timesteps[index])
      }
      for element in range {
        let noisy = Double(current.pointer[element])
        var original = (noisy - marginal.deviation * Double(prediction.pointer[element])) / marginal.signal
        // Comparisons rather than min and max, so that a NaN stays visible.
        if clipsOriginal && original < -1 { original = -1 }
        if clipsOriginal && original > 1 { original = 1 }
        let mean = posterior.original * original + posterior.noisy * noisy
        result.pointer[element] = Float(isLast ? mean : mean + deviation * Double(result.pointer[element]))
      }
    }
    return result
  }
}
