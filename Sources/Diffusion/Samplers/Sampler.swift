/// A way from noise to images.
public protocol Sampler: Sendable {
  /// Draws images. One does not depend on the others of its batch, provided that the denoiser treats each alone.
  ///
  /// - Parameters:
  ///   - latents: standard normal numbers, [N, H, W, C]; scaled to the process's prior here.
  ///   - noise: what a stochastic sampler adds on its way.
  ///   - progress: called after each step.
  /// - Throws: what the denoiser throws.
  func sample(
    from latents: DoubleTensor, denoiser: some Denoiser, noise: SamplerNoise, progress: ((SamplerStep) -> Void)?
  ) throws -> Samples
  /// Steps that `progress` hears of; nil where the images decide.
  var stepCount: Int? { get }
}

/// What a sampler tells after a step.
public struct SamplerStep: Sendable {
  /// Steps done; percents of the way where the images decide how many there are.
  public let done: Int
  /// Where the images are; nil where each is at a time of its own.
  private let state: (x: DoubleTensor, marginal: Marginal)?

  init(_ done: Int, _ x: DoubleTensor, _ marginal: Marginal) {
    self.done = done
    state = (x, marginal)
  }

  init(percents: Int) {
    done = percents
    state = nil
  }

  /// What there is of the images by now, x/√(α² + σ²): scaled so that the noise is no larger than images, whatever the
  /// process.
  public var images: DoubleTensor? {
    state.map { x, marginal in
      DoubleTensor(x / (marginal.signal * marginal.signal + marginal.sigma * marginal.sigma).squareRoot())
    }
  }
}

/// What a sampler drew.
public struct Samples: Sendable {
  /// [N, H, W, C].
  public var images: DoubleTensor
  /// How often the network looked at an image, at most over the images of the batch.
  public var evaluations: Int
}

/// A sampler's way to the denoiser: the same time for all images, counted.
struct Evaluator<D: Denoiser> {
  let denoiser: D
  private(set) var evaluations = 0

  init(_ denoiser: D) { self.denoiser = denoiser }

  mutating func estimate(_ x: DoubleTensor, at time: Double) throws -> Estimate {
    evaluations += 1
    return try denoiser.estimate(
      x, at: Array(repeating: time, count: x.imageCount), images: Array(0..<x.imageCount))
  }
}
