import Tensors

/// The noise of the bound's terms; a function of the seed, the step and the image's number.
public enum BoundNoise {
  public static func draw(like images: DoubleTensor, seed: UInt64, step: Int, firstImage: Int) -> DoubleTensor {
    let size = images.imageSize
    let noise = Tensor(uninitialised: images.shape)
    for image in 0..<images.imageCount {
      RandomStream(seed: seed, purpose: .boundNoise, step: step, sample: firstImage + image)
        .fillNormal(noise.pointer + image * size, count: size)
    }
    return DoubleTensor(noise)
  }
}
