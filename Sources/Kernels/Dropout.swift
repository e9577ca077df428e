import Tensors

/// Which elements of each image are dropped: a function of the element's position, never stored.
///
/// Element j (row-major inside one image) of image i takes 16 bits of the stream (seed, `.dropout`, step, sample
/// `firstSample + i`, detail `layer`). In each group of 64 elements, element e = j mod 64 of group g = j / 64 takes word
/// e / 16 of Philox block 8g + (e mod 16) / 2: the low half for even e, the high half for odd e. The element is kept if
/// those bits are at least `threshold` = round(65536·probability), and then multiplied by 65536 / (65536 − threshold),
/// so its expectation does not change.
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

  /// Writes the multipliers (0 or `keptScale`) of the groups that hold elements `range` of an image.
  ///
  /// - Parameter scratch: room for `range.count + 2·groupSize` floats.
  /// - Returns: where in `scratch` the multiplier of `range.lowerBound` is.
  func fillMultipliers(image: Int, range: Range<Int>, scratch: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
    let stream = stream(image: image)
    let firstGroup = range.lowerBound / Self.groupSize
    let endGroup = (range.upperBound + Self.groupSize - 1) / Self.groupSize
    let threshold = SIMD16<UInt32>(repeating: self.threshold)
    let kept = Vector(repeating: keptScale)
    for group in firstGroup..<endGroup {
      let words = Philox.blocks8(
        first: UInt32(truncatingIfNeeded: group * 8), counter: stream.counter, key: stream.key)
      let target = scratch + (group - firstGroup) * Self.groupSize
      store16(Self.multipliers(words.0, threshold, kept), target)
      store16(Self.multipliers(words.1, threshold, kept), target + 16)
      store16(Self.multipliers(words.2, threshold, kept), target + 32)
      store16(Self.multipliers(words.3, threshold, kept), target + 48)
    }
    return UnsafePointer(scratch + (range.lowerBound - firstGroup * Self.groupSize))
  }

  @inline(__always)
  private static func multipliers(
    _ words: SIMD8<UInt32>, _ threshold: SIMD16<UInt32>, _ kept: Vector
  ) -> Vector {
    let halves = SIMD16<UInt32>(truncatingIfNeeded: unsafeBitCast(words, to: SIMD16<UInt16>.self))
    return kept.replacing(with: 0, where: halves .< threshold)
  }
}
