import CBuildTarget
import CMicroKernels

extension MicroKernel {
  /// For any processor: blocks of 4 rows by one vector, as compiled for the build's target.
  static let plain = MicroKernel(
    ddpm_micro_kernel(
      name: UnsafeRawPointer(plainName.utf8Start).assumingMemoryBound(to: CChar.self), features: 0,
      multiply: { width, depth, a, rowStride, depthStride, b, bStride, c, cStride, accumulates in
        forEachBlock(columns: width, by: vectorWidth) { row, column in
          PlainBlock.multiply(
            depth, a + row * rowStride, rowStride, depthStride, b + column, bStride, c + row * cStride + column,
            cStride, accumulates)
        }
      },
      multiply_patches: { width, runs, runLength, patches, weights, bias, minimum, outputs, stride in
        forEachBlock(columns: width, by: vectorWidth) { row, column in
          PlainBlock.multiplyPatches(
            runs, runLength, patches + row, weights + column, width, bias + column, minimum,
            outputs + row * stride + column, stride)
        }
      },
      add_precise: { depth, a, b, c, stride in
        forEachBlock(columns: preciseColumns, by: 8) { row, column in
          PlainBlock.addPrecise(depth, a + row, b + column, c + row * stride + column, stride)
        }
      }))

  private static let plainName: StaticString = "plain Swift"

  @inline(__always)
  private static func forEachBlock(columns: Int, by width: Int, _ body: (_ row: Int, _ column: Int) -> Void) {
    for column in stride(from: 0, to: columns, by: width) {
      for row in stride(from: 0, to: rows, by: PlainBlock.rows) { body(row, column) }
    }
  }
}

/// The products of one block. Its sums are named variables: an array of them would not stay in registers.
private enum PlainBlock {
  static let rows = 4

  @inline(never)
  static func multiply(
    _ depth: Int, _ a: UnsafePointer<Float>, _ rowStride: Int, _ depthStride: Int, _ b: UnsafePointer<Float>,
    _ bStride: Int, _ c: UnsafeMutablePointer<Float>, _ cStride: Int, _ accumulates: Bool
  ) {
    var (c0, c1, c2, c3) = (Vector(), Vector(), Vector(), Vector())
    var (column, strip) = (a, b)
    for _ in 0..<depth {
      let row = load16(strip)
      c0 = c0.adding(column[0], times: row)
      c1 = c1.adding(column[rowStride], times: row)
      c2 = c2.adding(column[2 * rowStride], times: row)
      c3 = c3.adding(column[3 * rowStride], times: row)
      column += depthStride
      strip += bStride
    }
    @inline(__always)
    func put(_ sum: Vector, _ target: UnsafeMutablePointer<Float>) {
      store16(accumulates ? load16(target) + sum : sum, target)
    }
    put(c0, c)
    put(c1, c + cStride)
    put(c2, c + 2 * cStride)
    put(c3, c + 3 * cStride)
  }

  @inline(never)
  static func multiplyPatches(
    _ runs: Int, _ runLength: Int, _ patches: UnsafePointer<UnsafePointer<Float>>, _ weights: UnsafePointer<Float>,
    _ weightStride: Int, _ bias: UnsafePointer<Float>, _ minimum: Float, _ outputs: UnsafeMutablePointer<Float>,
    _ outputStride: Int
  ) {
    var (c0, c1, c2, c3) = (Vector(), Vector(), Vector(), Vector())
    var (pointers, strip) = (patches, weights)
    for _ in 0..<runs {
      let (p0, p1, p2, p3) = (pointers[0], pointers[1], pointers[2], pointers[3])
      for k in 0..<runLength {
        let row = load16(strip)
        c0 = c0.adding(p0[k], times: row)
        c1 = c1.adding(p1[k], times: row)
        c2 = c2.adding(p2[k], times: row)
        c3 = c3.adding(p3[k], times: row)
        strip += weightStride
      }
      pointers += MicroKernel.rows
    }
    let offset = load16(bias)
    store16((c0 + offset).limited(below: minimum), outputs)
    store16((c1 + offset).limited(below: minimum), outputs + outputStride)
    store16((c2 + offset).limited(below: minimum), outputs + 2 * outputStride)
    store16((c3 + offset).limited(below: minimum), outputs + 3 * outputStride)
  }

  @inline(never)
  static func addPrecise(
    _ depth: Int, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ c: UnsafeMutablePointer<Double>,
    _ stride: Int
  ) {
    typealias Row = SIMD8<Double>
    func row(_ pointer: UnsafePointer<Double>) -> Row { UnsafeRawPointer(pointer).loadUnaligned(as: Row.self) }
    var (c0, c1, c2, c3) = (row(c), row(c + stride), row(c + 2 * stride), row(c + 3 * stride))
    var (column, strip) = (a, b)
    for _ in 0..<depth {
      let row = row(strip)
      c0 = ddpm_add_product_of_doubles(c0, Row(repeating: column[0]), row)
      c1 = ddpm_add_product_of_doubles(c1, Row(repeating: column[1]), row)
      c2 = ddpm_add_product_of_doubles(c2, Row(repeating: column[2]), row)
      c3 = ddpm_add_product_of_doubles(c3, Row(repeating: column[3]), row)
      column += MicroKernel.rows
      strip += MicroKernel.preciseColumns
    }
    func put(_ sum: Row, _ target: UnsafeMutablePointer<Double>) {
      UnsafeMutableRawPointer(target).storeBytes(of: sum, as: Row.self)
    }
    put(c0, c)
    put(c1, c + stride)
    put(c2, c + 2 * stride)
    put(c3, c + 3 * stride)
  }
}
