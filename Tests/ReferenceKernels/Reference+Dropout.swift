import Kernels
import Tensors

extension Reference {
  /// The multipliers (0 or 65536 / (65536 − threshold)) of `count` elements per image, [images, count], computed from
  /// the definition in `Dropout`.
  package static func dropoutMultipliers(_ dropout: Dropout, images: Int, count: Int) -> [Float] {
    let threshold = UInt32((Double(dropout.probability) * 65536).rounded())
    var multipliers: [Float] = []
    for image in 0..<images {
      let stream = RandomStream(
        seed: dropout.seed, purpose: .dropout, step: dropout.step, sample: dropout.firstSample + image,
        detail: dropout.layer)
      for j in 0..<count {
        let (group, element) = (j / 64, j % 64)
        let word = stream.block(8 * group + element % 8)[element / 16]
        let half = element % 16 < 8 ? word & 0xFFFF : word >> 16
        multipliers.append(half < threshold ? 0 : 65536 / Float(65536 - threshold))
      }
    }
    return multipliers
  }
}
