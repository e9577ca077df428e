/// Sums over the rows of a matrix, one per column, with the lanes of a vector on neighbouring columns.
enum ColumnSums {
  /// Rows whose sum is taken in single precision before double precision takes over: 64 KiB, so that they stay in the
  /// second-level cache, and few enough for roundings not to matter.
  static func blockRows(columns: Int) -> Int { max(1, min(512, 16384 / max(columns, 1))) }

  /// sums[c] = Σ over rows of x[row, c]; x is [rows, columns]. Overwrites `sums`.
  static func sum(
    _ x: UnsafePointer<Float>, rows: Int, columns: Int, into sums: UnsafeMutablePointer<Float>
  ) {
    var c = 0
    while c + 4 * vectorWidth <= columns {
      var (s0, s1, s2, s3) = (Vector(), Vector(), Vector(), Vector())
      var row = x + c
      for _ in 0..<rows {
        s0 += load16(row)
        s1 += load16(row + 16)
        s2 += load16(row + 32)
        s3 += load16(row + 48)
        row += columns
      }
      store16(s0, sums + c)
      store16(s1, sums + c + 16)
      store16(s2, sums + c + 32)
      store16(s3, sums + c + 48)
      c += 4 * vectorWidth
    }
    while c < columns {
      let left = columns - c
      if left >= vectorWidth {
        store16(sumStrip(x + c, rows: rows, stride: columns) { load16($0) }, sums + c)
      } else {
        storePartial(sumStrip(x + c, rows: rows, stride: columns) { loadPartial($0, left) }, sums + c, left)
      }
      c += vectorWidth
    }
  }

  /// The sum of one vector's columns, four rows at a time to hide the latency of addition.
  @inline(__always)
  private static func sumStrip(
    _ x: UnsafePointer<Float>, rows: Int, stride: Int, _ load: (UnsafePointer<Float>) -> Vector
  ) -> Vector {
    var (s0, s1, s2, s3) = (Vector(), Vector(), Vector(), Vector())
    var row = x
    for _ in 0..<rows / 4 {
      s0 += load(row)
      s1 += load(row + stride)
      s2 += load(row + 2 * stride)
      s3 += load(row + 3 * stride)
      row += 4 * stride
    }
    for _ in 0..<rows % 4 {
      s0 += load(row)
      row += stride
    }
    return (s0 + s1) + (s2 + s3)
  }
}
