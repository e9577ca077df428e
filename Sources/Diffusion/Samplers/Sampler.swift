/// A method that turns noise into images.
package protocol Sampler: Sendable {
  /// Draws images. An image does not depend on the rest of its batch, provided that the denoiser treats each image
  /// separately.
  ///
  /// - Parameters:
  ///   - latents: standard normal numbers, [N, H, W, C]; scaled to the process's prior here.
  ///   - noise: the noise that a stochastic sampler adds.
  ///   - progress: called after each step.
  /// - Throws: the denoiser's errors.
  func sample(
    from latents: DoubleTensor, denoiser: some Denoiser, noise: SamplerNoise, progress: ((SamplerStep) -> Void)?
  ) throws -> Samples
  /// The number of steps reported to `progress`; nil if it depends on the images.
  var stepCount: Int? { get }
}

/// The state of a sampler after a step, for progress reports.
package struct SamplerStep: Sendable {
  /// Completed steps; per cent completed if the number of steps depends on the images.
  package let done: Int
  /// The current images; nil if each image is at its own time.
  private let state: (x: DoubleTensor, marginal: Marginal)?

  init(_ done: Int, _ x: DoubleTensor, _ marginal: Marginal) {
    self.done = done
    state = (x, marginal)
  }

  init(percents: Int) {
    done = percents
    state = nil
  }

  /// The current images, x/√(α² + σ²): scaled so that the noise is no larger than images, whatever the process.
  package var images: DoubleTensor? {
    state.map { x, marginal in
      DoubleTensor(x / (marginal.signal * marginal.signal + marginal.sigma * marginal.sigma).squareRoot())
    }
  }
}

/// The result of a sampler.
package struct Samples: Sendable {
  /// [N, H, W, C].
  package var images: DoubleTensor
  /// Network evaluations per image, the maximum over the batch.
  package var evaluations: Int
}

/// Evaluates the denoiser at the same time for all images, and counts the evaluations.
struct Evaluator<D: Denoiser> {
  let denoiser: D
  private(set) var evaluations = 0

  init(_ denoiser: D) { self.denoiser = denoiser }

  mutating func countEvaluation() { evaluations += 1 }

  mutating func estimate(_ x: DoubleTensor, at time: Double) throws -> Estimate {
    countEvaluation()
    return try denoiser.estimate(
      x, at: Array(repeating: time, count: x.imageCount), images: Array(0..<x.imageCount))
  }
}
