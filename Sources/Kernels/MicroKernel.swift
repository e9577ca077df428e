import CBuildTarget

/// The innermost product: an 8 x 32 block of C from 8 rows of A and a 32-wide strip of B, held in registers.
///
/// Element (r, c) is the sum over k, in order, of a(r, k)·b(k, c): it depends on nothing but its own row and column, so
/// a row of a product is the same whatever rows stand beside it.
enum MicroKernel {
  static let rows = 8
  static let columns = 32

  /// C = A·B, or C += A·B when `accumulates`.
  ///
  /// - Parameters:
  ///   - a: a(r, k) is at r·rowStride + k·depthStride.
  ///   - b: b(k, c) is at k·bStride + c.
  ///   - c: c(r, c) is at r·cStride + c.
  @inline(__always)
  static func multiply(
    depth: Int, a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, b: UnsafePointer<Float>, bStride: Int,
    c: UnsafeMutablePointer<Float>, cStride: Int, accumulates: Bool
  ) {
    if DDPM_VECTOR_BITS == 512 {
      multiply8x32(
        depth: depth, a: a, rowStride: rowStride, depthStride: depthStride, b: b, bStride: bStride, c: c,
        cStride: cStride, accumulates: accumulates)
    } else {
      // 16 registers of 256 bits hold a 4 x 16 block and its operands.
      for column in stride(from: 0, to: columns, by: 16) {
        for row in stride(from: 0, to: rows, by: 4) {
          multiply4x16(
            depth: depth, a: a + row * rowStride, rowStride: rowStride, depthStride: depthStride, b: b + column,
            bStride: bStride, c: c + row * cStride + column, cStride: cStride, accumulates: accumulates)
        }
      }
    }
  }

  @inline(__always)
  private static func put(_ sum: Vector, _ c: UnsafeMutablePointer<Float>, _ accumulates: Bool) {
    store16(accumulates ? load16(c) + sum : sum, c)
  }

  // The accumulators are named variables: an array of them would not stay in registers.
  @inline(never)
  private static func multiply8x32(
    depth: Int, a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, b: UnsafePointer<Float>, bStride: Int,
    c: UnsafeMutablePointer<Float>, cStride: Int, accumulates: Bool
  ) {
    var c00 = Vector.zero, c01 = Vector.zero, c10 = Vector.zero, c11 = Vector.zero
    var c20 = Vector.zero, c21 = Vector.zero, c30 = Vector.zero, c31 = Vector.zero
    var c40 = Vector.zero, c41 = Vector.zero, c50 = Vector.zero, c51 = Vector.zero
    var c60 = Vector.zero, c61 = Vector.zero, c70 = Vector.zero, c71 = Vector.zero
    var upper = a
    var lower = a + 4 * rowStride
    var strip = b
    for _ in 0..<depth {
      let b0 = load16(strip)
      let b1 = load16(strip + 16)
      var value = Vector(repeating: upper[0])
      c00 = c00.addingProduct(value, b0)
      c01 = c01.addingProduct(value, b1)
      value = Vector(repeating: upper[rowStride])
      c10 = c10.addingProduct(value, b0)
      c11 = c11.addingProduct(value, b1)
      value = Vector(repeating: upper[2 * rowStride])
      c20 = c20.addingProduct(value, b0)
      c21 = c21.addingProduct(value, b1)
      value = Vector(repeating: upper[3 * rowStride])
      c30 = c30.addingProduct(value, b0)
      c31 = c31.addingProduct(value, b1)
      value = Vector(repeating: lower[0])
      c40 = c40.addingProduct(value, b0)
      c41 = c41.addingProduct(value, b1)
      value = Vector(repeating: lower[rowStride])
      c50 = c50.addingProduct(value, b0)
      c51 = c51.addingProduct(value, b1)
      value = Vector(repeating: lower[2 * rowStride])
      c60 = c60.addingProduct(value, b0)
      c61 = c61.addingProduct(value, b1)
      value = Vector(repeating: lower[3 * rowStride])
      c70 = c70.addingProduct(value, b0)
      c71 = c71.addingProduct(value, b1)
      upper += depthStride
      lower += depthStride
      strip += bStride
    }
    put(c00, c, accumulates)
    put(c01, c + 16, accumulates)
    put(c10, c + cStride, accumulates)
    put(c11, c + cStride + 16, accumulates)
    put(c20, c + 2 * cStride, accumulates)
    put(c21, c + 2 * cStride + 16, accumulates)
    put(c30, c + 3 * cStride, accumulates)
    put(c31, c + 3 * cStride + 16, accumulates)
    put(c40, c + 4 * cStride, accumulates)
    put(c41, c + 4 * cStride + 16, accumulates)
    put(c50, c + 5 * cStride, accumulates)
    put(c51, c + 5 * cStride + 16, accumulates)
    put(c60, c + 6 * cStride, accumulates)
    put(c61, c + 6 * cStride + 16, accumulates)
    put(c70, c + 7 * cStride, accumulates)
    put(c71, c + 7 * cStride + 16, accumulates)
  }

  @inline(never)
  private static func multiply4x16(
    depth: Int, a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, b: UnsafePointer<Float>, bStride: Int,
    c: UnsafeMutablePointer<Float>, cStride: Int, accumulates: Bool
  ) {
    var c0 = Vector.zero, c1 = Vector.zero, c2 = Vector.zero, c3 = Vector.zero
    var column = a
    var strip = b
    for _ in 0..<depth {
      let b0 = load16(strip)
      c0 = c0.addingProduct(Vector(repeating: column[0]), b0)
      c1 = c1.addingProduct(Vector(repeating: column[rowStride]), b0)
      c2 = c2.addingProduct(Vector(repeating: column[2 * rowStride]), b0)
      c3 = c3.addingProduct(Vector(repeating: column[3 * rowStride]), b0)
      column += depthStride
      strip += bStride
    }
    put(c0, c, accumulates)
    put(c1, c + cStride, accumulates)
    put(c2, c + 2 * cStride, accumulates)
    put(c3, c + 3 * cStride, accumulates)
  }
}
