import MicroKernels
import Tensors

/// 16-bit numbers with the range of a `Float` and 8 bits of precision: the upper half of a `Float`.
package enum BFloat16 {
  /// Rounds to nearest, ties to even; infinities stay infinite, and NaN stays NaN.
  package static func round(_ values: Tensor, into halves: TypedTensor<UInt16>) {
    verify(values.count == halves.count, "as many halves as numbers")
    let whole = values.count / vectorWidth * vectorWidth
    for index in stride(from: 0, to: whole, by: vectorWidth) {
      let vector: Vector = values[vector: index]
      halves[vector: index] = vector.roundedToUpperHalves.upperHalves
    }
    for index in whole..<values.count { halves[index] = round(values[index]) }
  }

  /// Replaces numbers by the nearest 16-bit ones, still as floats.
  /// - Parameter halves: receives the same numbers; the floats are read only once for both.
  package static func roundInPlace(
    _ values: Tensor, copyingTo halves: TypedTensor<UInt16>? = nil, workers: WorkerPool
  ) {
    verify(halves.map { $0.count == values.count } ?? true, "as many halves as numbers")
    workers.forEachRange(values.count, grain: Elementwise.grain) { range in
      let whole = range.lowerBound + range.count / vectorWidth * vectorWidth
      for index in stride(from: range.lowerBound, to: whole, by: vectorWidth) {
        let vector: Vector = values[vector: index]
        let rounded = vector.roundedToUpperHalves
        values[vector: index] = rounded
        halves?[vector: index] = rounded.upperHalves
      }
      for index in whole..<range.upperBound {
        let half = round(values[index])
        values[index] = widen(half)
        halves?[index] = half
      }
    }
  }

  /// Rounds one number.
  package static func round(_ value: Float) -> UInt16 {
    let word = value.bitPattern
    if value.isNaN { return UInt16(truncatingIfNeeded: word >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (word &+ 0x7FFF &+ (word >> 16 & 1)) >> 16)
  }

  /// Converts the numbers back to floats.
  package static func widen(
    _ halves: TypedTensor<UInt16>, into values: Tensor, workers: WorkerPool = .callingThread
  ) {
    verify(values.count == halves.count, "as many halves as numbers")
    workers.forEachRange(values.count, grain: Elementwise.grain) { range in
      let whole = range.lowerBound + range.count / vectorWidth * vectorWidth
      for index in stride(from: range.lowerBound, to: whole, by: vectorWidth) {
        values[vector: index] = Vector(upperHalves: halves[vector: index])
      }
      for index in whole..<range.upperBound { values[index] = widen(halves[index]) }
    }
  }

  /// Converts one number back.
  package static func widen(_ half: UInt16) -> Float { Float(bitPattern: UInt32(half) << 16) }
}
