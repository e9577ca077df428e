import MicroKernels

/// Transposition of blocks of 16 x 16 floats in registers.
enum Transposition {
  typealias Block = (
    Vector, Vector, Vector, Vector, Vector, Vector, Vector, Vector, Vector, Vector, Vector, Vector, Vector, Vector,
    Vector, Vector
  )

  /// target(c, r) = source(r, c) for 16 rows and columns; strides are from row to row.
  @inline(__always)
  static func transpose16x16(
    _ source: UnsafePointer<Float>, stride: Int, into target: UnsafeMutablePointer<Float>, targetStride: Int
  ) {
    let s = source
    let rows: Block = (
      load16(s), load16(s + stride), load16(s + 2 * stride), load16(s + 3 * stride), load16(s + 4 * stride),
      load16(s + 5 * stride), load16(s + 6 * stride), load16(s + 7 * stride), load16(s + 8 * stride),
      load16(s + 9 * stride), load16(s + 10 * stride), load16(s + 11 * stride), load16(s + 12 * stride),
      load16(s + 13 * stride), load16(s + 14 * stride), load16(s + 15 * stride)
    )
    // Each round moves one bit of an element's index from its column to its row.
    let b = separated(separated(separated(separated(rows))))
    let t = target
    store16(b.0, t)
    store16(b.1, t + targetStride)
    store16(b.2, t + 2 * targetStride)
    store16(b.3, t + 3 * targetStride)
    store16(b.4, t + 4 * targetStride)
    store16(b.5, t + 5 * targetStride)
    store16(b.6, t + 6 * targetStride)
    store16(b.7, t + 7 * targetStride)
    store16(b.8, t + 8 * targetStride)
    store16(b.9, t + 9 * targetStride)
    store16(b.10, t + 10 * targetStride)
    store16(b.11, t + 11 * targetStride)
    store16(b.12, t + 12 * targetStride)
    store16(b.13, t + 13 * targetStride)
    store16(b.14, t + 14 * targetStride)
    store16(b.15, t + 15 * targetStride)
  }

  /// Even elements of neighbouring rows first, then the odd ones.
  @inline(__always)
  private static func separated(_ r: Block) -> Block {
    (
      even(r.0, r.1), even(r.2, r.3), even(r.4, r.5), even(r.6, r.7), even(r.8, r.9), even(r.10, r.11),
      even(r.12, r.13), even(r.14, r.15), odd(r.0, r.1), odd(r.2, r.3), odd(r.4, r.5), odd(r.6, r.7), odd(r.8, r.9),
      odd(r.10, r.11), odd(r.12, r.13), odd(r.14, r.15)
    )
  }

  @inline(__always)
  private static func even(_ a: Vector, _ b: Vector) -> Vector { Vector(lowHalf: a.evenHalf, highHalf: b.evenHalf) }

  @inline(__always)
  private static func odd(_ a: Vector, _ b: Vector) -> Vector { Vector(lowHalf: a.oddHalf, highHalf: b.oddHalf) }

  /// target(c, r) = source(r, c) for any number of rows and columns.
  @inline(never)
  static func transpose(
    _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int, into target: UnsafeMutablePointer<Float>,
    targetStride: Int
  ) {
    for row in Swift.stride(from: 0, to: rows, by: 16) {
      for column in Swift.stride(from: 0, to: columns, by: 16) {
        let (from, to) = (source + row * stride + column, target + column * targetStride + row)
        if row + 16 <= rows && column + 16 <= columns {
          transpose16x16(from, stride: stride, into: to, targetStride: targetStride)
        } else {
          for r in 0..<min(16, rows - row) {
            for c in 0..<min(16, columns - column) { to[c * targetStride + r] = from[r * stride + c] }
          }
        }
      }
    }
  }
}
