import Tensors

/// Standard normal numbers, each image's from a stream of its own, so that they do not depend on the image's company.
/// - Parameters:
///   - shape: [N, …].
///   - stream: by the image's index.
func normalNoise(shape: [Int], _ stream: (_ image: Int) -> RandomStream) -> Tensor {
  let noise = Tensor(uninitialised: shape)
  for image in 0..<shape[0] {
    let range = elementRange(of: image, in: noise)
    stream(image).fillNormal(noise.pointer + range.lowerBound, count: range.count)
  }
  return noise
}

/// Where sampling starts: standard normal x_T.
public enum Latents {
  /// Latents of consecutively numbered images; each depends on the seed and its own number only.
  /// - Parameters:
  ///   - shape: [N, H, W, C].
  ///   - firstImage: the number of the first of the N images among all that are drawn with this seed.
  public static func draw(shape: [Int], seed: UInt64, firstImage: Int) -> Tensor {
    normalNoise(shape: shape) { RandomStream(seed: seed, purpose: .latents, sample: firstImage + $0) }
  }
}

/// The noise a stochastic sampler adds on its way; each image's depends on the seed and its own number only.
public struct SamplerNoise: Sendable {
  public let seed: UInt64
  /// The number of the batch's first image among all that are drawn with this seed.
  public let firstImage: Int

  public init(seed: UInt64, firstImage: Int = 0) {
    self.seed = seed
    self.firstImage = firstImage
  }

  /// Standard normal noise for a whole batch.
  /// - Parameters:
  ///   - step: the sampler's step, or time step.
  ///   - detail: which of several noises of a step.
  func draw(like x: DoubleTensor, step: Int, detail: Int = 0) -> DoubleTensor {
    DoubleTensor(
      normalNoise(shape: x.shape) { image in
        RandomStream(seed: seed, purpose: .samplerNoise, step: step, sample: firstImage + image, detail: detail)
      })
  }
}

/// The noise of the bound's terms; a function of the seed, the step and the image's number.
public enum BoundNoise {
  public static func draw(like images: DoubleTensor, seed: UInt64, step: Int, firstImage: Int) -> DoubleTensor {
    DoubleTensor(
      normalNoise(shape: images.shape) { image in
        RandomStream(seed: seed, purpose: .boundNoise, step: step, sample: firstImage + image)
      })
  }
}
