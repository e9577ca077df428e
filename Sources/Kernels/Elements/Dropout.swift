import MicroKernels
import Tensors

/// Which elements of each image are dropped: a function of the element's position, never stored.
///
/// Element j (row-major inside one image) of image i takes 16 bits of the stream (seed, `.dropout`, step, sample
/// `firstSample + i`, detail `layer`). In each group of 64 elements, element e = j mod 64 of group g = j / 64 takes word
/// e / 16 of Philox block 8g + e mod 8: the low half if e mod 16 < 8, else the high half. The element is kept if those
/// bits are at least `threshold` = round(65536·probability), and then multiplied by 65536 / (65536 − threshold), so its
/// expectation does not change.
public struct Dropout: Sendable {
  /// How likely an element is dropped: 0 ≤ probability < 1.
  public var probability: Float
  public var seed: UInt64
  public var step: Int
  /// Which sample the first image of the batch is.
  public var firstSample: Int
  /// Tells apart the dropouts of one network; below 2²⁴.
  public var layer: Int

  public init(probability: Float, seed: UInt64, step: Int, firstSample: Int, layer: Int) {
    self.probability = probability
    self.seed = seed
    self.step = step
    self.firstSample = firstSample
    self.layer = layer
  }

  /// Bit patterns below this are dropped.
  public var threshold: UInt32 { UInt32((Double(probability) * 65536).rounded()) }

  /// What kept elements are multiplied by.
  public var keptScale: Float { 65536 / Float(65536 - threshold) }

  /// Elements that share one call of `Philox.blocks8`.
  static let groupSize = 64

  func stream(image: Int) -> RandomStream {
    RandomStream(seed: seed, purpose: .dropout, step: step, sample: firstSample + image, detail: layer)
  }

  /// Floats `fillMultipliers` needs for `count` elements: the multipliers of whole groups, and their random words.
  static func scratchCount(_ count: Int) -> Int { 3 * (count + 2 * groupSize) / 2 }

  /// Writes the multipliers (0 or `keptScale`) of the groups that hold elements `range` of an image.
  ///
  /// - Parameter scratch: room for `scratchCount(range.count)` floats.
  /// - Returns: where in `scratch` the multiplier of `range.lowerBound` is.
  func fillMultipliers(image: Int, range: Range<Int>, scratch: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
    let firstGroup = range.lowerBound / Self.groupSize
    let groups = (range.upperBound + Self.groupSize - 1) / Self.groupSize - firstGroup
    // Word w of all blocks, for each w in turn.
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
