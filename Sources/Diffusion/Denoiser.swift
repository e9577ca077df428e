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
    let noise = DoubleTensor((x - marginals.map(\.signal) * original) / marginals.map(\.sigma))
    self.init(original: original, noise: noise, variance: variance)
  }

  /// An estimate of the noise alone.
  public init(noise: DoubleTensor, of x: DoubleTensor, at marginals: [Marginal], variance: LearnedVariance? = nil) {
    let original = DoubleTensor((x - marginals.map(\.sigma) * noise) / marginals.map(\.signal))
    self.init(original: original, noise: noise, variance: variance)
  }

  /// x̂_0, kept within [−1, 1], the range of images, if `clips`.
  func original(clipped clips: Bool) -> DoubleTensor { clips ? original.clamped(to: -1...1) : original }
}
