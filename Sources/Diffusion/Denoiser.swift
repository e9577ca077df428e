import Tensors

/// What processes, losses and samplers know of a network: it guesses the noise in a noisy image.
public protocol Denoiser {
  /// The noise ε̂(x_t, t) in every image.
  /// - Parameters:
  ///   - x: noisy images x_t, [N, H, W, C].
  ///   - timesteps: one t per image, N values. Fractions are allowed; the discrete process uses 0, 1 … T − 1.
  /// - Returns: the predicted noise, shaped like `x`.
  func predictNoise(_ x: Tensor, timesteps: [Float]) throws -> Tensor
}
