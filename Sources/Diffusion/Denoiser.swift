/// The view that samplers and likelihoods have of a network: it separates an image from the noise on it.
package protocol Denoiser {
  /// - Parameters:
  ///   - x: noisy images x_t, [N, H, W, C].
  ///   - times: t of each image, in units of the process.
  ///   - images: the indices of these images in the batch, for denoisers that treat images differently, such as by
  ///     class.
  func estimate(_ x: DoubleTensor, at times: [Double], images: [Int]) throws -> Estimate
}

/// A denoiser that can also be differentiated.
package protocol DifferentiableDenoiser: Denoiser {
  /// The estimate, and its derivative with respect to x, which is computed when it is needed.
  func estimateWithPullback(
    _ x: DoubleTensor, at times: [Double], images: [Int]
  ) throws -> (estimate: Estimate, pullback: Estimate.Pullback)
}

/// Estimates of the two parts of x_t = α·original + σ·noise.
package struct Estimate: Sendable {
  /// x̂_0, [N, H, W, C].
  package var original: DoubleTensor
  /// ε̂.
  package var noise: DoubleTensor
  /// The network's output for the variance of the reverse step, [N, H, W, C], if it was trained to predict one; see
  /// `ReverseVariance`.
  package var variance: DoubleTensor?

  /// The parts, as functions of x.
  package enum Part: Sendable {
    case original
    case noise
  }

  /// vectorᵀ·∂part/∂x, the derivative of Σ vector·part with respect to x, image by image. A network is evaluated again
  /// for each call after the first.
  /// - Parameter vector: shaped like x.
  package typealias Pullback = (_ part: Part, _ vector: DoubleTensor) throws -> DoubleTensor

  package init(original: DoubleTensor, noise: DoubleTensor, variance: DoubleTensor? = nil) {
    self.original = original
    self.noise = noise
    self.variance = variance
  }

  /// Completes an estimate of the image.
  package init(original: DoubleTensor, of x: DoubleTensor, at marginals: [Marginal], variance: DoubleTensor? = nil) {
    let noise = DoubleTensor((x - marginals.map(\.signal) * original) / marginals.map(\.sigma))
    self.init(original: original, noise: noise, variance: variance)
  }

  /// Completes an estimate of the noise.
  package init(noise: DoubleTensor, of x: DoubleTensor, at marginals: [Marginal], variance: DoubleTensor? = nil) {
    let original = DoubleTensor((x - marginals.map(\.sigma) * noise) / marginals.map(\.signal))
    self.init(original: original, noise: noise, variance: variance)
  }

  /// x̂_0, clamped to [−1, 1], the range of images, if `clips`.
  func original(clipped clips: Bool) -> DoubleTensor { clips ? original.clamped(to: -1...1) : original }
}
