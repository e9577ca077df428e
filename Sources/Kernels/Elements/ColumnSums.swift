import MicroKernels

/// Sums over the rows of a matrix, one per column; the lanes of a vector hold neighbouring columns.
///
/// Memory is read strictly from beginning to end: jumping between rows longer than a few cache lines is three times
/// slower. The sums stay in the first-level cache.
enum ColumnSums {
  /// The number of rows that are summed in single precision before the sum is added in double precision: 64 KiB, so
  /// that they stay in the second-level cache, and few enough to keep rounding errors negligible.
  static func blockRows(columns: Int) -> Int { max(1, min(512, 16384 / max(columns, 1))) }

  /// sums[c] = Σ over rows of x[row, c]; x is [rows, columns]. Overwrites `sums`.
  static func sum(
    _ x: UnsafePointer<Float>, rows: Int, columns: Int, into sums: UnsafeMutablePointer<Float>
  ) {
    sums.update(repeating: 0, count: columns)
    // Short rows are summed four at a time; otherwise each addition would wait for the previous one.
    let grouped = columns < 64 ? rows - rows % 4 : 0
    for row in stride(from: 0, to: grouped, by: 4) {
      let (x0, x1) = (x + row * columns, x + (row + 1) * columns)
      let (x2, x3) = (x + (row + 2) * columns, x + (row + 3) * columns)
      @inline(__always)
      func addFour(_ c: Int, _ lanes: Int) {
        let four = (load(x0 + c, lanes) + load(x1 + c, lanes)) + (load(x2 + c, lanes) + load(x3 + c, lanes))
        store(load(sums + c, lanes) + four, sums + c, lanes)
      }
      forEachVector(columns, addFour)
    }
    for row in grouped..<rows { Rows.addRow(x + row * columns, to: sums, columns) }
  }

  /// sums[c] = Σ over rows of (x[row, c] − centres[c]), squares[c] = Σ (x[row, c] − centres[c])². Overwrites both.
  static func sumDeviations(
    _ x: UnsafePointer<Float>, rows: Int, columns: Int, from centres: UnsafePointer<Float>,
    sums: UnsafeMutablePointer<Float>, squares: UnsafeMutablePointer<Float>
  ) {
    sums.update(repeating: 0, count: columns)
    squares.update(repeating: 0, count: columns)
    for row in stride(from: 0, to: rows - rows % 4, by: 4) {
      let (x0, x1) = (x + row * columns, x + (row + 1) * columns)
      let (x2, x3) = (x + (row + 2) * columns, x + (row + 3) * columns)
      @inline(__always)
      func addFour(_ c: Int, _ lanes: Int) {
        let centre = load(centres + c, lanes)
        let (d0, d1) = (load(x0 + c, lanes) - centre, load(x1 + c, lanes) - centre)
        let (d2, d3) = (load(x2 + c, lanes) - centre, load(x3 + c, lanes) - centre)
        let square = (d0 * d0).addingProduct(d1, d1) + (d2 * d2).addingProduct(d3, d3)
        store(load(sums + c, lanes) + ((d0 + d1) + (d2 + d3)), sums + c, lanes)
        store(load(squares + c, lanes) + square, squares + c, lanes)
      }
      forEachVector(columns, addFour)
    }
    for row in rows - rows % 4..<rows {
      @inline(__always)
      func addOne(_ c: Int, _ lanes: Int) {
        let deviation = load(x + row * columns + c, lanes) - load(centres + c, lanes)
        store(load(sums + c, lanes) + deviation, sums + c, lanes)
        store(load(squares + c, lanes).addingProduct(deviation, deviation), squares + c, lanes)
      }
      forEachVector(columns, addOne)
    }
  }
}
