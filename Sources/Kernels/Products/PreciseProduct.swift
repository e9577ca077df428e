import MicroKernels
import Tensors

/// Products of matrices of floats in double precision, C += A·B.
///
/// A product of two floats is exact in a double, which has more than twice the digits. Element (r, c) adds the exact
/// products a(r, k)·b(k, c) to its previous value, in the order of k, and is rounded only at each addition. Its bits
/// therefore depend only on row r, column c and that order: not on tiles, threads, vector width or processor, nor on
/// the number of calls that the sum over k is divided into.
package enum PreciseProduct {
  /// The number of terms added at a time; a panel of B of this length is as large as the first-level cache.
  static let depthBlock = 256
  /// The number of panels of A and B per item of work; this many rows of A stay in the second-level cache.
  private static let rowPanels = 12
  private static let columnPanels = 8

  /// C += A·B.
  ///
  /// - Parameters:
  ///   - a: [rows, depth].
  ///   - b: [depth, columns].
  ///   - c: [rows, columns].
  ///   - diagonal: where given, only elements (r, c) with c ≥ r + diagonal are needed; others hold undefined numbers
  ///     afterwards.
  package static func add(
    _ a: Matrix, _ b: Matrix, to c: TypedTensor<Double>, fromDiagonal diagonal: Int? = nil, workers: WorkerPool
  ) {
    let (rows, columns, depth) = (a.rows, b.columns, a.columns)
    verify(c.shape == [rows, columns] && b.rows == depth, "the product's shapes")
    let left = Panels(count: rows, width: MicroKernel.rows)
    let right = Panels(count: columns, width: MicroKernel.preciseColumns)
    let kernel = MicroKernel.best
    let piece = min(depth, depthBlock)
    let packed = Buffer<Double>(count: (left.paddedCount + right.paddedCount) * piece)
    withExtendedLifetime((a, b, c, packed)) {
      let packedA = packed.pointer
      let packedB = packedA + left.paddedCount * piece
      for first in stride(from: 0, to: depth, by: depthBlock) {
        let length = min(depthBlock, depth - first)
        workers.forEach(left.panelCount + right.panelCount) { panel in
          if panel < left.panelCount {
            left.pack(a.matrixPointer.columns(from: first).transposed, panel, depth: length, into: packedA)
          } else {
            right.pack(b.matrixPointer.rows(from: first), panel - left.panelCount, depth: length, into: packedB)
          }
        }
        let blocks = (left.panelCount + rowPanels - 1) / rowPanels
        let parts = (right.panelCount + columnPanels - 1) / columnPanels
        workers.forEach(blocks * parts) { item in
          let (block, part) = item.quotientAndRemainder(dividingBy: parts)
          for j in part * columnPanels..<min((part + 1) * columnPanels, right.panelCount) {
            for i in block * rowPanels..<min((block + 1) * rowPanels, left.panelCount) {
              let (row, column) = (i * left.width, j * right.width)
              let (rowCount, columnCount) = (min(left.width, rows - row), min(right.width, columns - column))
              if let diagonal, column + columnCount <= row + diagonal { continue }
              kernel.addPrecise(
                packedA + row * length, packedB + column * length, depth: length,
                to: c.pointer + row * columns + column, rowStride: columns, rowCount: rowCount, columnCount: columnCount
              )
            }
          }
        }
      }
    }
  }
}

/// Columns of a matrix, in panels and in the order in which `MicroKernel` reads them: [panel][depth][width].
private struct Panels {
  let count: Int
  let width: Int

  var panelCount: Int { (count + width - 1) / width }
  var paddedCount: Int { panelCount * width }

  /// Missing columns are filled with zeros.
  func pack(_ matrix: MatrixPointer, _ panel: Int, depth: Int, into packed: UnsafeMutablePointer<Double>) {
    let first = panel * width
    let present = min(width, count - first)
    let source = matrix.pointer + first * matrix.columnStride
    let target = packed + first * depth
    for k in 0..<depth {
      let (from, to) = (source + k * matrix.rowStride, target + k * width)
      for column in 0..<present { to[column] = Double(from[column * matrix.columnStride]) }
      for column in present..<width { to[column] = 0 }
    }
  }
}

extension MicroKernel {
  /// `addPrecise` for blocks with missing rows or columns.
  ///
  /// - Parameter rowCount: the number of rows that exist, like `columnCount`; nothing is written beyond them.
  @inline(__always)
  fileprivate func addPrecise(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, depth: Int, to c: UnsafeMutablePointer<Double>,
    rowStride: Int, rowCount: Int, columnCount: Int
  ) {
    let (rows, columns) = (Self.rows, Self.preciseColumns)
    if rowCount == rows && columnCount == columns {
      addPrecise(depth: depth, a: a, b: b, to: c, rowStride: rowStride)
      return
    }
    let tile = Buffer<Double>(count: rows * columns)
    withExtendedLifetime(tile) {
      let sums = tile.pointer
      sums.update(repeating: 0, count: rows * columns)
      for row in 0..<rowCount { (sums + row * columns).update(from: c + row * rowStride, count: columnCount) }
      addPrecise(depth: depth, a: a, b: b, to: sums, rowStride: columns)
      for row in 0..<rowCount { (c + row * rowStride).update(from: sums + row * columns, count: columnCount) }
    }
  }
}
