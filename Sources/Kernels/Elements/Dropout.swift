import MicroKernels
import Tensors

/// The dropout mask of each image. It is computed from an element's position and never stored.
///
/// Element j (row-major inside one image) of image i takes 16 bits of the stream (seed, `.dropout`, step, sample
/// `firstSample + i`, detail `layer`). In each group of 64 elements, element e = j mod 64 of group g = j / 64 takes word
/// e / 16 of Philox block 8g + e mod 8: the low half if e mod 16 < 8, else the high half. The element is kept if those
/// bits are at least `threshold` = round(65536·probability), and then multiplied by 65536 / (65536 − threshold), so its
/// expectation does not change.
package struct Dropout: Sendable {
  /// The probability of dropping an element: 0 ≤ probability < 1.
  package var probability: Float
  package var seed: UInt64
  package var step: Int
  /// The index of the batch's first image in the global batch.
  package var firstSample: Int
  /// Distinguishes the dropouts of one network; below 2²⁴.
  package var layer: Int

  package init(probability: Float, seed: UInt64, step: Int, firstSample: Int, layer: Int = 0) {
    self.probability = probability
    self.seed = seed
    self.step = step
    self.firstSample = firstSample
    self.layer = layer
  }

  /// Bit patterns below the threshold are dropped.
  package var threshold: UInt32 { UInt32((Double(probability) * 65536).rounded()) }

  /// The factor of kept elements.
  package var keptScale: Float { 65536 / Float(65536 - threshold) }

  /// The number of elements that share eight blocks of random words.
  static let groupSize = 64

  func stream(image: Int) -> RandomStream {
    RandomStream(seed: seed, purpose: .dropout, step: step, sample: firstSample + image, detail: layer)
  }

  /// The floats that `fillMultipliers` needs for `count` elements: the multipliers of whole groups, and their random
  /// words.
  static func scratchCount(_ count: Int) -> Int { 3 * (count + 2 * groupSize) / 2 }

  /// Writes the multipliers (0 or `keptScale`) of the groups that contain the elements `range` of an image.
  ///
  /// - Parameter scratch: room for `scratchCount(range.count)` floats.
  /// - Returns: the position in `scratch` of the multiplier of `range.lowerBound`.
  func fillMultipliers(image: Int, range: Range<Int>, scratch: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
    let firstGroup = range.lowerBound / Self.groupSize
    let groups = (range.upperBound + Self.groupSize - 1) / Self.groupSize - firstGroup
    // Word w of all blocks, for one w after another.
    let blocks = groups * 8
    let words = UnsafeMutableRawPointer(scratch + groups * Self.groupSize).bindMemory(
      to: UInt32.self, capacity: 4 * blocks)
    PhiloxLanes.fill(words, first: UInt32(truncatingIfNeeded: firstGroup * 8), blocks: blocks, stream(image: image))
    let threshold = SIMD16<UInt32>(repeating: self.threshold)
    let kept = Vector(repeating: keptScale)
    for group in 0..<groups {
      for word in 0..<4 {
        let bits = UnsafeRawPointer(words + word * blocks + group * 8).loadUnaligned(as: SIMD8<UInt32>.self)
        let halves = SIMD16(lowHalf: bits & 0xFFFF, highHalf: bits &>> 16)
        let multipliers = kept.replacing(with: 0, where: halves .< threshold)
        store16(multipliers, scratch + group * Self.groupSize + word * vectorWidth)
      }
    }
    return UnsafePointer(scratch + (range.lowerBound - firstGroup * Self.groupSize))
  }
}
