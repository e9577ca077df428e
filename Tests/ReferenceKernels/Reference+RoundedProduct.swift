extension Reference {
  /// c + Σ a[k]·b[k] for bfloat16 numbers, in the order and with the roundings of the instruction TDPBF16PS (Intel SDM,
  /// volume 2), 32 terms at a time.
  ///
  /// - Parameters:
  ///   - a: a multiple of 32 numbers without the lower 16 bits, like `b`.
  package static func roundedSum(_ a: [Float], _ b: [Float], addedTo c: Float = 0) -> Float {
    var total = c
    for first in stride(from: 0, to: a.count, by: 32) {
      var (even, odd): (Float, Float) = (0, 0)
      for k in stride(from: first, to: first + 32, by: 2) {
        even = flushedMultiplyAdd(a[k], b[k], even)
        odd = flushedMultiplyAdd(a[k + 1], b[k + 1], odd)
      }
      total = flushed(flushed(total) + flushed(even + odd))
    }
    return total
  }

  /// a·b + c rounded once, where denormal operands and results count as zeros of their sign.
  package static func flushedMultiplyAdd(_ a: Float, _ b: Float, _ c: Float) -> Float {
    let (a, b, c) = (flushed(a), flushed(b), flushed(c))
    let result = c.addingProduct(a, b)
    guard result.magnitude <= .leastNormalMagnitude else { return result }
    // Whether a result is denormal is decided after rounding to 24 bits, whatever the exponent. A double holds the sum
    // of numbers that cancel so far, and scaled it is no denormal float.
    let scaled = Float(Double(c).addingProduct(Double(a), Double(b)) * 0x1p100)
    return scaled.magnitude < 0x1p-26 ? Float(signOf: scaled, magnitudeOf: 0) : result
  }

  /// A denormal number as a zero of its sign.
  private static func flushed(_ value: Float) -> Float {
    value.magnitude < .leastNormalMagnitude ? Float(signOf: value, magnitudeOf: 0) : value
  }
}
