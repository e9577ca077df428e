import Tensors

/// A matrix [rows, columns] within a tensor, which it keeps alive: element (r, c) is at offset + r·rowStride + c·columnStride
/// of its elements.
package struct Matrix {
  package private(set) var rows: Int
  package private(set) var columns: Int
  @usableFromInline private(set) var rowStride: Int
  private(set) var columnStride = 1
  private let tensor: Tensor
  private var offset = 0

  /// The tensor [N, …, columns] as a matrix; the last dimension becomes the columns.
  package init(_ tensor: Tensor) {
    self.tensor = tensor
    rows = tensor.shape.dropLast().reduce(1, *)
    columns = tensor.shape.last ?? 1
    rowStride = columns
  }

  /// The same memory with rows and columns exchanged.
  package var transposed: Matrix {
    var result = self
    (result.rows, result.columns) = (columns, rows)
    (result.rowStride, result.columnStride) = (columnStride, rowStride)
    return result
  }

  package func rows(_ range: Range<Int>) -> Matrix {
    verify(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) are outside a matrix of \(rows) rows")
    var result = self
    result.rows = range.count
    result.offset += range.lowerBound * rowStride
    return result
  }

  package func columns(_ range: Range<Int>) -> Matrix { transposed.rows(range).transposed }

  var isRowMajor: Bool { columnStride == 1 }

  /// The first element. The caller keeps the matrix alive while it uses the pointer.
  var pointer: UnsafeMutablePointer<Float> { tensor.pointer + offset }

  var matrixPointer: MatrixPointer { MatrixPointer(pointer, rowStride: rowStride, columnStride: columnStride) }
}

extension MatrixProduct {
  /// C = A·B + bias + addend.
  ///
  /// - Parameters:
  ///   - a: [rows, depth].
  ///   - b: [depth, columns].
  ///   - c: [rows, columns], row-major; overwritten.
  ///   - bias: [columns], added to every row.
  ///   - addend: laid out like C; may be C, to which the product is then added.
  package static func multiply(
    _ a: Matrix, _ b: Matrix, into c: Matrix, bias: Tensor? = nil, addend: Matrix? = nil, workers: WorkerPool
  ) {
    multiply([a], b, into: c, bias: bias, addend: addend, workers: workers)
  }

  /// The same for A in separate parts, whose columns are joined.
  package static func multiply(
    _ a: [Matrix], _ b: Matrix, into c: Matrix, bias: Tensor? = nil, addend: Matrix? = nil, workers: WorkerPool
  ) {
    check(a, b, into: c, bias: bias, addend: addend)
    multiply(
      a.map { Part(matrix: $0.matrixPointer, columns: $0.columns) }, b.matrixPointer, into: c.pointer,
      cStride: c.rowStride, rows: c.rows, columns: c.columns, bias: bias?.pointer, addend: addend?.pointer,
      workers: workers)
    withExtendedLifetime((a, b, c, bias, addend)) {}
  }

  /// Verifies that operands of a product, A in parts, fit together.
  static func check(_ a: [Matrix], _ b: Matrix, into c: Matrix, bias: Tensor?, addend: Matrix?) {
    let depth = a.reduce(0) { $0 + $1.columns }
    verify(a.allSatisfy { $0.rows == c.rows } && b.rows == depth && b.columns == c.columns, "the shapes do not fit")
    verify(c.isRowMajor && (bias.map { $0.count == c.columns } ?? true), "the result must be row-major")
    verify(
      addend.map { $0.rows == c.rows && $0.columns == c.columns && $0.isRowMajor && $0.rowStride == c.rowStride }
        ?? true,
      "the addend must have the result's layout")
  }
}
