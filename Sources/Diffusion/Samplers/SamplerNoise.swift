import Tensors

/// Where sampling starts: standard normal x_T.
public enum Latents {
  /// Latents of consecutively numbered images; each depends on the seed and its own number only.
  /// - Parameters:
  ///   - shape: [N, H, W, C].
  ///   - firstImage: the number of the first of the N images among all that are drawn with this seed.
  public static func draw(shape: [Int], seed: UInt64, firstImage: Int) -> Tensor {
    let latents = Tensor(uninitialised: shape)
    for image in 0..<shape[0] {
      let range = elementRange(of: image, in: latents)
      RandomStream(seed: seed, purpose: .latents, sample: firstImage + image)
        .fillNormal(latents.pointer + range.lowerBound, count: range.count)
    }
    return latents
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

  /// Fills `destination` with the standard normal noise of one image of the batch at one step.
  /// - Parameter detail: which of several noises of the step.
  func fill(_ destination: UnsafeMutablePointer<Float>, count: Int, image: Int, timestep: Int, detail: Int = 0) {
    RandomStream(seed: seed, purpose: .samplerNoise, step: timestep, sample: firstImage + image, detail: detail)
      .fillNormal(destination, count: count)
  }
}
