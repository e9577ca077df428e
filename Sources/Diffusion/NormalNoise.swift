import Tensors

/// Standard normal numbers. Each image has a random stream of its own, so its noise does not depend on the rest of the
/// batch.
/// - Parameters:
///   - shape: [N, …].
///   - firstImage: the index of the first of the N images among all images drawn with this seed.
package func normalNoise(
  shape: [Int], seed: UInt64, purpose: RandomPurpose, step: Int = 0, firstImage: Int, detail: Int = 0
) -> Tensor {
  let noise = Tensor(uninitialised: shape)
  let size = shape.dropFirst().reduce(1, *)
  for image in 0..<shape[0] {
    RandomStream(seed: seed, purpose: purpose, step: step, sample: firstImage + image, detail: detail)
      .fillNormal(noise, in: image * size..<(image + 1) * size)
  }
  return noise
}

/// The starting point of sampling: standard normal x_T.
package enum Latents {
  /// Latents of consecutively numbered images; each depends only on the seed and the image's index.
  /// - Parameters:
  ///   - shape: [N, H, W, C].
  ///   - firstImage: the index of the first of the N images among all images drawn with this seed.
  package static func draw(shape: [Int], seed: UInt64, firstImage: Int) -> Tensor {
    normalNoise(shape: shape, seed: seed, purpose: .latents, firstImage: firstImage)
  }
}

/// The noise that a stochastic sampler adds. Each image's noise depends only on the seed and the image's index.
package struct SamplerNoise: Sendable {
  let seed: UInt64
  /// The index of the batch's first image among all images drawn with this seed.
  let firstImage: Int

  package init(seed: UInt64, firstImage: Int = 0) {
    self.seed = seed
    self.firstImage = firstImage
  }

  /// Standard normal noise for a whole batch.
  /// - Parameters:
  ///   - step: the sampler's step, or time step.
  ///   - detail: distinguishes several draws within a step.
  func draw(like x: DoubleTensor, step: Int, detail: Int = 0) -> DoubleTensor {
    DoubleTensor(
      normalNoise(
        shape: x.shape, seed: seed, purpose: .samplerNoise, step: step, firstImage: firstImage, detail: detail))
  }
}
