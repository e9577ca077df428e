import Tensors

/// Which of all images drawn with a seed an image is: a member of the ensemble that is drawn for a condition, such as a
/// measurement. Without conditions, each image is the only member of its own.
package struct DrawNumber: Sendable, Equatable {
  /// The image or condition, below 2³².
  package let image: Int
  /// The member, below `memberLimit`.
  package let member: Int

  package static let memberLimit = 1 << 16

  package init(image: Int, member: Int = 0) {
    self.image = image
    self.member = member
  }

  /// The number of details of a stream that each of several members has.
  package static let detailsPerMember = 1 << 8
}

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

/// Standard normal numbers for any draws. Those of member 0 are `normalNoise(shape:seed:purpose:step:firstImage:detail:)`
/// of the image.
/// - Parameters:
///   - shape: [draws.count, …].
///   - detail: below `DrawNumber.detailsPerMember`, unless each draw is the first member.
private func normalNoise(
  shape: [Int], seed: UInt64, purpose: RandomPurpose, step: Int = 0, draws: [DrawNumber], detail: Int = 0
) -> Tensor {
  precondition(shape[0] == draws.count, "\(draws.count) draws do not fill shape \(shape)")
  precondition(
    draws.allSatisfy { $0.member < DrawNumber.memberLimit && ($0.member == 0 || detail < DrawNumber.detailsPerMember) })
  let noise = Tensor(uninitialised: shape)
  let size = shape.dropFirst().reduce(1, *)
  for (row, draw) in draws.enumerated() {
    RandomStream(
      seed: seed, purpose: purpose, step: step, sample: draw.image,
      detail: draw.member * DrawNumber.detailsPerMember + detail
    )
    .fillNormal(noise, in: row * size..<(row + 1) * size)
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

  /// Latents of any draws; each depends only on the seed and its numbers.
  /// - Parameter shape: [draws.count, H, W, C].
  package static func draw(shape: [Int], seed: UInt64, draws: [DrawNumber]) -> Tensor {
    normalNoise(shape: shape, seed: seed, purpose: .latents, draws: draws)
  }
}

/// The noise that a stochastic sampler adds. Each image's noise depends only on the seed and the image's numbers.
package struct SamplerNoise: Sendable {
  private enum Rows {
    case images(from: Int)
    case draws([DrawNumber])
  }

  private let seed: UInt64
  private let rows: Rows

  /// - Parameter firstImage: the index of the batch's first image among all images drawn with this seed.
  package init(seed: UInt64, firstImage: Int = 0) {
    self.seed = seed
    rows = .images(from: firstImage)
  }

  /// - Parameter draws: the batch's images, one after another.
  package init(seed: UInt64, draws: [DrawNumber]) {
    self.seed = seed
    rows = .draws(draws)
  }

  /// Standard normal noise for a whole batch.
  /// - Parameters:
  ///   - step: the sampler's step, or time step.
  ///   - detail: distinguishes several draws within a step; below `DrawNumber.detailsPerMember` for several members.
  func draw(like x: DoubleTensor, step: Int, detail: Int = 0) -> DoubleTensor {
    switch rows {
    case .images(let first):
      DoubleTensor(
        normalNoise(
          shape: x.shape, seed: seed, purpose: .samplerNoise, step: step, firstImage: first, detail: detail))
    case .draws(let draws):
      DoubleTensor(
        normalNoise(shape: x.shape, seed: seed, purpose: .samplerNoise, step: step, draws: draws, detail: detail))
    }
  }
}
