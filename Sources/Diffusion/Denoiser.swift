/// What samplers and likelihoods know of a network: it tells an image and the noise on it apart.
public protocol Denoiser {
  /// - Parameters:
  ///   - x: noisy images x_t, [N, H, W, C].
  ///   - times: t of each image, in units of the process.
  ///   - images: which images of the batch these are, for denoisers that treat them differently, such as by class.
  func estimate(_ x: DoubleTensor, at times: [Double], images: [Int]) throws -> Estimate
}

/// A guess at what x_t consists of: x_t = α·original + σ·noise.
public struct Estimate: Sendable {
  /// x̂_0, [N, H, W, C].
  public var original: DoubleTensor
  /// ε̂.
  public var noise: DoubleTensor
  /// What the network says of the reverse step's variance, if it was trained to.
  public var variance: LearnedVariance?

  public init(original: DoubleTensor, noise: DoubleTensor, variance: LearnedVariance? = nil) {
    self.original = original
    self.noise = noise
    self.variance = variance
  }

  /// An estimate of the image alone.
  public init(original: DoubleTensor, of x: DoubleTensor, at marginals: [Marginal], variance: LearnedVariance? = nil) {
    self.init(
      original: original,
      noise: .sum([
        (marginals.map { 1 / $0.deviation }, x), (marginals.map { -$0.signal / $0.deviation }, original),
      ]),
      variance: variance)
  }

  /// An estimate of the noise alone.
  public init(noise: DoubleTensor, of x: DoubleTensor, at marginals: [Marginal], variance: LearnedVariance? = nil) {
    self.init(
      original: .sum([
        (marginals.map { 1 / $0.signal }, x), (marginals.map { -$0.deviation / $0.signal }, noise),
      ]),
      noise: noise, variance: variance)
  }
}
