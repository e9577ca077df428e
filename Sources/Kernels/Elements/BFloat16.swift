import Tensors

/// 16-bit numbers with the range of a `Float` and 8 bits of precision: the upper half of a `Float`.
package enum BFloat16 {
  private typealias Words = SIMD16<UInt32>

  /// Rounds to nearest, ties to even; infinities stay infinite, and NaN stays NaN.
  package static func round(_ values: Tensor, into halves: TypedTensor<UInt16>) {
    verify(values.count == halves.count, "as many halves as numbers")
    let whole = values.count / 16 * 16
    for index in stride(from: 0, to: whole, by: 16) {
      halves[vector: index] = SIMD16<UInt16>(truncatingIfNeeded: rounded(values[vector: index]))
    }
    for index in whole..<values.count { halves[index] = round(values[index]) }
  }

  /// Sixteen rounded numbers, in the lower halves of words; the upper halves are zero.
  @inline(__always)
  static func rounded(_ vector: SIMD16<Float>) -> SIMD16<UInt32> {
    let word = unsafeBitCast(vector, to: Words.self)
    let odd = (word &>> 16) & 1
    let rounded = (word &+ 0x7FFF &+ odd) &>> 16
    // Rounding would carry the bits of a NaN into its sign bit.
    let isNotANumber = (word & 0x7FFF_FFFF) .> Words(repeating: 0x7F80_0000)
    return rounded.replacing(with: (word &>> 16) | 0x40, where: isNotANumber)
  }

  /// Rounds one number.
  package static func round(_ value: Float) -> UInt16 {
    let word = value.bitPattern
    if value.isNaN { return UInt16(truncatingIfNeeded: word >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (word &+ 0x7FFF &+ (word >> 16 & 1)) >> 16)
  }

  /// Converts the numbers back to floats.
  package static func widen(_ halves: TypedTensor<UInt16>, into values: Tensor) {
    verify(values.count == halves.count, "as many halves as numbers")
    let whole = values.count / 16 * 16
    for index in stride(from: 0, to: whole, by: 16) {
      let half: SIMD16<UInt16> = halves[vector: index]
      values[vector: index] = unsafeBitCast(Words(truncatingIfNeeded: half) &<< 16, to: SIMD16<Float>.self)
    }
    for index in whole..<values.count { values[index] = Float(bitPattern: UInt32(halves[index]) << 16) }
  }
}
