import CBuildTarget
import CProcessor

/// The innermost product: 8 rows of C by a strip of 48 or 32 columns, held in registers.
///
/// Element (r, c) is the sum over k, in order, of a(r, k)·b(k, c): it depends on nothing but its own row and column, so
/// a row of a product is the same whatever rows stand beside it, and a column whatever strip it is in.
///
/// With 48 columns 24 of 32 registers are sums, and each step of the loop makes 24 multiply-adds of 11 loads, which the
/// load units keep up with even when B streams from the second-level cache.
enum MicroKernel {
  static let rows = 8

  /// C = A·B, or C += A·B when `accumulates`.
  ///
  /// - Parameters:
  ///   - width: columns of the strip, 48 or 32.
  ///   - a: a(r, k) is at r·rowStride + k·depthStride.
  ///   - b: b(k, c) is at k·bStride + c.
  ///   - c: c(r, c) is at r·cStride + c.
  @inline(__always)
  static func multiply(
    width: Int, depth: Int, a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, b: UnsafePointer<Float>,
    bStride: Int, c: UnsafeMutablePointer<Float>, cStride: Int, accumulates: Bool
  ) {
    if DDPM_VECTOR_BITS == 512 {
      if width == 48 {
        multiply8x48(depth, a, rowStride, depthStride, b, bStride, c, cStride, accumulates)
      } else {
        multiply8x32(depth, a, rowStride, depthStride, b, bStride, c, cStride, accumulates)
      }
    } else {
      // 16 registers of 256 bits hold a 4 x 16 block and its operands.
      for column in stride(from: 0, to: width, by: vectorWidth) {
        for row in stride(from: 0, to: rows, by: 4) {
          multiply4x16(
            depth, a + row * rowStride, rowStride, depthStride, b + column, bStride, c + row * cStride + column,
            cStride, accumulates)
        }
      }
    }
  }

  @inline(never)
  private static func multiply8x48(
    _ depth: Int, _ a: UnsafePointer<Float>, _ rowStride: Int, _ depthStride: Int, _ b: UnsafePointer<Float>,
    _ bStride: Int, _ c: UnsafeMutablePointer<Float>, _ cStride: Int, _ accumulates: Bool
  ) {
    multiply8(ThreeVectors.self, depth, a, rowStride, depthStride, b, bStride, c, cStride, accumulates)
  }

  @inline(never)
  private static func multiply8x32(
    _ depth: Int, _ a: UnsafePointer<Float>, _ rowStride: Int, _ depthStride: Int, _ b: UnsafePointer<Float>,
    _ bStride: Int, _ c: UnsafeMutablePointer<Float>, _ cStride: Int, _ accumulates: Bool
  ) {
    multiply8(TwoVectors.self, depth, a, rowStride, depthStride, b, bStride, c, cStride, accumulates)
  }

  // The sums are named variables: an array of them would not stay in registers.
  @inline(__always)
  private static func multiply8<Row: RowOfVectors>(
    _: Row.Type, _ depth: Int, _ a: UnsafePointer<Float>, _ rowStride: Int, _ depthStride: Int,
    _ b: UnsafePointer<Float>, _ bStride: Int, _ c: UnsafeMutablePointer<Float>, _ cStride: Int, _ accumulates: Bool
  ) {
    var (c0, c1, c2, c3) = (Row(), Row(), Row(), Row())
    var (c4, c5, c6, c7) = (Row(), Row(), Row(), Row())
    var upper = a
    var lower = a + 4 * rowStride
    var strip = b
    // Rows of A are followed by those of the next call. Columns are read a cache line at a time, from places that the
    // processor does not foresee.
    var ahead = depthStride == 1 ? a + rows * rowStride : a + 64 * depthStride
    let aheadStride = depthStride == 1 ? rows * rowStride / depth : depthStride
    for row in 0..<rows { Row.prefetchToWrite(c + row * cStride) }
    for _ in 0..<depth {
      let row = Row(loading: strip)
      ddpm_prefetch(ahead)
      ahead += aheadStride
      c0.addProduct(upper[0], row)
      c1.addProduct(upper[rowStride], row)
      c2.addProduct(upper[2 * rowStride], row)
      c3.addProduct(upper[3 * rowStride], row)
      c4.addProduct(lower[0], row)
      c5.addProduct(lower[rowStride], row)
      c6.addProduct(lower[2 * rowStride], row)
      c7.addProduct(lower[3 * rowStride], row)
      upper += depthStride
      lower += depthStride
      strip += bStride
    }
    c0.store(c, accumulates)
    c1.store(c + cStride, accumulates)
    c2.store(c + 2 * cStride, accumulates)
    c3.store(c + 3 * cStride, accumulates)
    c4.store(c + 4 * cStride, accumulates)
    c5.store(c + 5 * cStride, accumulates)
    c6.store(c + 6 * cStride, accumulates)
    c7.store(c + 7 * cStride, accumulates)
  }

  @inline(never)
  private static func multiply4x16(
    _ depth: Int, _ a: UnsafePointer<Float>, _ rowStride: Int, _ depthStride: Int, _ b: UnsafePointer<Float>,
    _ bStride: Int, _ c: UnsafeMutablePointer<Float>, _ cStride: Int, _ accumulates: Bool
  ) {
    var (c0, c1, c2, c3) = (OneVector(), OneVector(), OneVector(), OneVector())
    var column = a
    var strip = b
    for _ in 0..<depth {
      let row = OneVector(loading: strip)
      c0.addProduct(column[0], row)
      c1.addProduct(column[rowStride], row)
      c2.addProduct(column[2 * rowStride], row)
      c3.addProduct(column[3 * rowStride], row)
      column += depthStride
      strip += bStride
    }
    c0.store(c, accumulates)
    c1.store(c + cStride, accumulates)
    c2.store(c + 2 * cStride, accumulates)
    c3.store(c + 3 * cStride, accumulates)
  }
}
