import MicroKernels
import Tensors

/// Some columns of a product of rounded numbers: 32 or 16, the last of which may be missing.
struct RoundedStrip {
  /// The first column.
  let start: Int
  /// The number of columns that are computed: 32 or 16.
  let width: Int
  /// The number of columns that exist.
  let count: Int

  /// Strips that cover a number of columns; only the last one may have 16.
  static func covering(_ columns: Int) -> [RoundedStrip] {
    stride(from: 0, to: columns, by: 32).map { start in
      let count = min(32, columns - start)
      return RoundedStrip(start: start, width: count > 16 ? 32 : 16, count: count)
    }
  }
}

extension [RoundedStrip] {
  /// The columns of all strips, with those that are missing.
  var width: Int { last.map { $0.start + $0.width } ?? 0 }
}

/// Matrices of floats, rounded to bfloat16 and put into the orders in which `RoundedKernel` reads them.
///
/// Rows are given by their addresses, in any order and with repetitions, so that they can be an image's pixels.
enum RoundedOperands {
  typealias Row = UnsafePointer<Float>

  /// The smallest odd number of cache lines that hold `count` numbers, in numbers: rows a power of two apart would
  /// compete for the same cache sets.
  static func oddLines(_ count: Int) -> Int { 2 * PointPlanes.oddLines((count + 1) / 2) }

  /// A row of A, followed by zeros up to `paddedCount`. Elements are written in groups of 16, so up to 15 zeros may
  /// follow the last one.
  @inline(__always)
  static func putRow(_ row: Row, count: Int, into target: UnsafeMutablePointer<UInt16>, paddedCount: Int) {
    @inline(__always)
    func put(_ column: Int, _ lanes: Int) {
      let halves = load(row + column, lanes).roundedToUpperHalves.upperHalves
      UnsafeMutableRawPointer(target + column).storeBytes(of: halves, as: SIMD16<UInt16>.self)
    }
    forEachVector(count, put)
    let written = roundUp(count, vectorWidth)
    if written < paddedCount { (target + written).update(repeating: 0, count: paddedCount - written) }
  }

  /// Some columns of pairs of rows, for B: target [pairCount][width][2], with zeros in missing columns.
  ///
  /// - Parameters:
  ///   - rows: the addresses of 2·pairCount rows.
  ///   - column: the first column.
  ///   - count: the number of columns that exist, from width − 15 to width.
  static func putPairs(
    of rows: UnsafePointer<Row>, pairCount: Int, from column: Int, count: Int, width: Int,
    into target: UnsafeMutableRawPointer
  ) {
    for pair in 0..<pairCount {
      let (first, second) = (rows[2 * pair] + column, rows[2 * pair + 1] + column)
      let words = target + pair * width * MemoryLayout<UInt32>.stride
      @inline(__always)
      func put(_ column: Int, _ lanes: Int) {
        @inline(__always)
        func rounded(_ row: Row) -> SIMD16<UInt32> {
          unsafeBitCast(load(row + column, lanes).roundedToUpperHalves, to: SIMD16<UInt32>.self)
        }
        (words + column * MemoryLayout<UInt32>.stride).storeBytes(
          of: rounded(first) &>> 16 | rounded(second), as: SIMD16<UInt32>.self)
      }
      forEachVector(count, put)
    }
  }

  /// Some columns of rows as rows of A: element (r, c) of the rows becomes target[c·stride + r], with zeros for missing
  /// columns.
  ///
  /// - Parameters:
  ///   - rowCount: a multiple of 32.
  ///   - width: the number of columns that are written, 16 or 32; `count` of them exist, as in `putPairs`.
  ///   - stride: even.
  static func putTransposed(
    _ rows: UnsafePointer<Row>, rowCount: Int, from column: Int, count: Int, width: Int,
    into target: UnsafeMutablePointer<UInt16>, stride: Int
  ) {
    // A pair of numbers is moved like a float.
    withScratch(rowCount / 2 * width) { pairs in
      putPairs(of: rows, pairCount: rowCount / 2, from: column, count: count, width: width, into: pairs)
      transposePairs(pairs, rows: rowCount / 2, columns: width, into: target, targetStride: stride / 2)
    }
  }

  /// Some columns of some rows of a matrix, for B: target [paddedDepth / 2][strip.width][2], with zeros in missing rows
  /// and columns.
  ///
  /// - Parameters:
  ///   - depths: the rows.
  ///   - paddedDepth: a multiple of 32.
  ///   - zeros: as many as the matrix has columns, or rows if those are contiguous.
  static func putStrip(
    _ strip: RoundedStrip, of matrix: MatrixPointer, rows depths: Range<Int>, paddedDepth: Int, zeros: Row,
    into target: UnsafeMutablePointer<UInt16>
  ) {
    if matrix.columnStride == 1 {
      withRows(paddedDepth) { rows in
        for k in 0..<paddedDepth {
          rows[k] = k < depths.count ? matrix.pointer + (depths.lowerBound + k) * matrix.rowStride : zeros
        }
        putPairs(
          of: rows, pairCount: paddedDepth / 2, from: strip.start, count: strip.count, width: strip.width, into: target)
      }
      return
    }
    verify(matrix.rowStride == 1, "the matrix or its transpose must be row-major")
    withScratch(strip.width * paddedDepth / 2) { scratch in
      let columns = UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: UInt16.self)
      for column in 0..<strip.width {
        let source = matrix.pointer + (strip.start + column) * matrix.columnStride + depths.lowerBound
        putRow(
          source, count: column < strip.count ? depths.count : 0, into: columns + column * paddedDepth,
          paddedCount: paddedDepth)
      }
      transposePairs(scratch, rows: strip.width, columns: paddedDepth / 2, into: target, targetStride: strip.width)
    }
  }

  /// Calls `body` with memory for the addresses of rows.
  static func withRows(_ count: Int, _ body: (UnsafeMutablePointer<Row>) -> Void) {
    let rows = Buffer<Row>(count: count)
    withExtendedLifetime(rows) { body(rows.pointer) }
  }

  /// - Parameters:
  ///   - source: [rows, columns] of pairs; both are multiples of 16.
  ///   - targetStride: in pairs.
  private static func transposePairs(
    _ source: UnsafePointer<Float>, rows: Int, columns: Int, into target: UnsafeMutablePointer<UInt16>,
    targetStride: Int
  ) {
    Transposition.transpose(
      source, stride: columns, rows: rows, columns: columns,
      into: UnsafeMutableRawPointer(target).assumingMemoryBound(to: Float.self), targetStride: targetStride)
  }
}
