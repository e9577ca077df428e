import MicroKernels
import Tensors

/// Dense matrix products of operands that are rounded to bfloat16, with sums in single precision: C = A·B (+ bias +
/// addend), like `MatrixProduct`.
///
/// Both operands are copied, rounded, into the orders in which `RoundedKernel` reads them. An element depends, bit for
/// bit, only on its row of A and its column of B.
package struct RoundedProduct {
  private let products: RoundedKernel

  package init(products: RoundedKernel = .best) { self.products = products }

  /// The number of terms for which operands are copied at a time. Longer sums are kept in single precision between.
  private static let depthBlock = 2048
  /// The maximum of numbers in a copied block of A, 512 KiB.
  private static let largestBlock = 1 << 18

  /// C = A·B + bias + addend.
  ///
  /// - Parameters:
  ///   - a: [rows, depth], in separate parts, whose columns are joined; all are row-major, or all are transposed.
  ///   - b: [depth, columns], row-major or transposed.
  ///   - c: [rows, columns], row-major; overwritten.
  ///   - bias: [columns], added to every row.
  ///   - addend: laid out like C; may be C, to which the product is then added.
  package func multiply(
    _ a: [Matrix], _ b: Matrix, into c: Matrix, bias: Tensor? = nil, addend: Matrix? = nil, workers: WorkerPool
  ) {
    MatrixProduct.check(a, b, into: c, bias: bias, addend: addend)
    Task(
      a: RoundedRows(a), b: b.matrixPointer, c: c.pointer, cStride: c.rowStride, rows: c.rows, columns: c.columns,
      depth: b.rows, bias: bias?.pointer, addend: addend?.pointer, products: products
    ).run(workers: workers)
    withExtendedLifetime((a, b, c, bias, addend)) {}
  }

  private struct Task {
    let a: RoundedRows
    let b: MatrixPointer
    let c: UnsafeMutablePointer<Float>
    let cStride: Int
    let rows: Int
    let columns: Int
    let depth: Int
    let bias: UnsafePointer<Float>?
    let addend: UnsafePointer<Float>?
    let products: RoundedKernel

    /// Some terms of all sums; without terms there is one empty piece.
    private var pieces: [Range<Int>] {
      depth == 0
        ? [0..<0] : stride(from: 0, to: depth, by: depthBlock).map { $0..<min($0 + depthBlock, depth) }
    }

    func run(workers: WorkerPool) {
      let strips = RoundedStrip.covering(columns)
      let longest = roundUp(min(depth, depthBlock), RoundedKernel.depthUnit)
      let blockRows = self.blockRows(depth: longest, threads: workers.threadCount)
      let blocks = (rows + blockRows - 1) / blockRows
      // With few rows, the strips are shared among the threads.
      let parts = max(1, min(strips.count, (workers.threadCount + blocks - 1) / max(blocks, 1)))
      let pieces = self.pieces
      let packed = Buffer<UInt16>(count: longest * strips.width)
      let zeros = FloatBuffer(repeating: 0, count: max(columns, a.longestRow))
      // [block][strip][row][strip.width], if they outlive a piece.
      let totals = FloatBuffer(count: pieces.count > 1 ? blocks * blockRows * strips.width : 0)
      withExtendedLifetime((packed, zeros, totals)) {
        for depths in pieces {
          let paddedDepth = roundUp(depths.count, RoundedKernel.depthUnit)
          workers.forEach(strips.count) { index in
            RoundedOperands.putStrip(
              strips[index], of: b, rows: depths, paddedDepth: paddedDepth, zeros: zeros.pointer,
              into: packed.pointer + strips[index].start * paddedDepth)
          }
          workers.forEach(blocks * parts) { item in
            let (block, part) = item.quotientAndRemainder(dividingBy: parts)
            let first = block * blockRows
            compute(
              strips[part * strips.count / parts..<(part + 1) * strips.count / parts],
              rows: first..<min(first + blockRows, rows), depths: depths, b: packed.pointer, zeros: zeros.pointer,
              totals: pieces.count > 1 ? totals.pointer + first * strips.width : nil, blockRows: blockRows)
          }
        }
      }
    }

    private func blockRows(depth: Int, threads: Int) -> Int {
      let maximum = max(2 * RoundedKernel.rowUnit, largestBlock / max(depth, 1))
      let blocks = max((rows + maximum - 1) / maximum, threads)
      return roundUp(max(1, (rows + blocks - 1) / blocks), RoundedKernel.rowUnit)
    }

    /// Adds some terms to the sums of some rows and strips, and writes them to C after the last terms.
    private func compute(
      _ strips: ArraySlice<RoundedStrip>, rows: Range<Int>, depths: Range<Int>, b: UnsafePointer<UInt16>,
      zeros: UnsafePointer<Float>, totals: UnsafeMutablePointer<Float>?, blockRows: Int
    ) {
      let paddedDepth = roundUp(depths.count, RoundedKernel.depthUnit)
      let paddedRows = roundUp(rows.count, RoundedKernel.rowUnit)
      let aStride = RoundedOperands.oddLines(paddedDepth)
      let copy = Buffer<UInt16>(count: paddedRows * aStride + vectorWidth)
      withExtendedLifetime(copy) {
        a.put(rows: rows, columns: depths, zeros: zeros, into: copy.pointer, stride: aStride, paddedCount: paddedDepth)
        withScratch(paddedRows * 32) { scratch in
          for strip in strips {
            let sums = totals.map { $0 + strip.start * blockRows } ?? scratch
            products.multiply(
              rows: paddedRows, width: strip.width, a: [UnsafePointer(copy.pointer)], aStride: aStride,
              runLength: paddedDepth, b: b + strip.start * paddedDepth, c: sums, cStride: strip.width,
              accumulates: depths.lowerBound > 0)
            if depths.upperBound == depth { put(sums, strip, rows: rows) }
          }
        }
      }
    }

    private func put(_ sums: UnsafePointer<Float>, _ strip: RoundedStrip, rows: Range<Int>) {
      for row in rows {
        let (source, element) = (sums + (row - rows.lowerBound) * strip.width, row * cStride + strip.start)
        @inline(__always)
        func put(_ column: Int, _ lanes: Int) {
          var value = load16(source + column)
          if let bias { value += load(bias + strip.start + column, lanes) }
          if let addend { value += load(addend + element + column, lanes) }
          store(value, c + element + column, lanes)
        }
        forEachVector(strip.count, put)
      }
    }
  }
}

/// The rows of a product's first operand, in separate parts, whose columns are joined.
struct RoundedRows {
  private let parts: [MatrixProduct.Part]
  private let areTransposed: Bool
  /// The number of zeros that stand for a missing row of memory.
  let longestRow: Int

  init(_ parts: [Matrix]) {
    self.parts = parts.map { MatrixProduct.Part(matrix: $0.matrixPointer, columns: $0.columns) }
    let areTransposed = !parts.allSatisfy(\.isRowMajor)
    verify(
      !areTransposed || parts.allSatisfy { $0.matrixPointer.rowStride == 1 },
      "all parts, or all their transposes, must be row-major")
    self.areTransposed = areTransposed
    longestRow = areTransposed ? parts.map(\.rows).max() ?? 0 : 0
  }

  /// Copies some columns of some rows, followed by zeros up to `paddedCount`, a multiple of 32. Fifteen elements after
  /// the last row may be written.
  func put(
    rows: Range<Int>, columns: Range<Int>, zeros: UnsafePointer<Float>, into target: UnsafeMutablePointer<UInt16>,
    stride: Int, paddedCount: Int
  ) {
    if areTransposed {
      RoundedOperands.withRows(paddedCount) { addresses in
        addresses.update(repeating: zeros, count: paddedCount)
        forEachPart(columns) { matrix, first, count in
          for k in 0..<count { addresses[first + k] = matrix.pointer + k * matrix.columnStride }
        }
        for strip in RoundedStrip.covering(rows.count) {
          RoundedOperands.putTransposed(
            addresses, rowCount: paddedCount, from: rows.lowerBound + strip.start, count: strip.count,
            width: strip.width, into: target + strip.start * stride, stride: stride)
        }
      }
    } else {
      for row in rows {
        let targetRow = target + (row - rows.lowerBound) * stride
        // Each part overwrites what the one before it wrote beyond its end.
        targetRow.update(repeating: 0, count: paddedCount)
        forEachPart(columns) { matrix, first, count in
          RoundedOperands.putRow(
            matrix.pointer + row * matrix.rowStride, count: count, into: targetRow + first, paddedCount: 0)
        }
      }
    }
  }

  /// Calls `body` with the columns of each part that are among some columns, their index among these, and their number.
  private func forEachPart(_ columns: Range<Int>, _ body: (_ matrix: MatrixPointer, _ first: Int, _ count: Int) -> Void)
  {
    var start = 0
    for part in parts {
      let common = columns.clamped(to: start..<start + part.columns)
      if !common.isEmpty {
        body(part.matrix.columns(from: common.lowerBound - start), common.lowerBound - columns.lowerBound, common.count)
      }
      start += part.columns
    }
  }
}
