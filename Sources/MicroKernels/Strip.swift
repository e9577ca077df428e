/// A strip of a matrix that the micro-kernel processes at once: 48 or 32 columns, the last of which may be missing.
@usableFromInline package struct Strip: Sendable {
  /// The first column.
  package let start: Int
  /// The number of columns that the micro-kernel computes: 48 or 32.
  @usableFromInline package let width: Int
  /// The number of columns that exist.
  @usableFromInline package let count: Int

  @inlinable package var isWhole: Bool { count == width }

  /// Strips that cover a number of columns with as few missing columns as possible: none for multiples of 16 above 16.
  package static func covering(_ columns: Int) -> [Strip] {
    let vectors = (columns + vectorWidth - 1) / vectorWidth
    var widths: [Int]
    switch vectors % 3 {
    case 0: widths = Array(repeating: 48, count: vectors / 3)
    case 2: widths = Array(repeating: 48, count: vectors / 3) + [32]
    default: widths = vectors == 1 ? [32] : Array(repeating: 48, count: vectors / 3 - 1) + [32, 32]
    }
    var start = 0
    return widths.map { width in
      defer { start += width }
      return Strip(start: start, width: width, count: min(width, columns - start))
    }
  }
}
