extension Reference {
  /// op(a)·op(b) [rows, columns], where op optionally transposes.
  ///
  /// - Parameters:
  ///   - a: [rows, inner], or [inner, rows] if `transposeA`.
  ///   - b: [inner, columns], or [columns, inner] if `transposeB`.
  package static func matrixProduct<Scalar: BinaryFloatingPoint>(
    _ a: [Scalar], _ b: [Scalar], rows: Int, inner: Int, columns: Int, transposeA: Bool = false,
    transposeB: Bool = false
  ) -> [Scalar] {
    let (left, right) = (doubles(a), doubles(b))
    var product = [Double](repeating: 0, count: rows * columns)
    for row in 0..<rows {
      for k in 0..<inner {
        let value = left[transposeA ? k * rows + row : row * inner + k]
        for column in 0..<columns {
          product[row * columns + column] += value * right[transposeB ? column * inner + k : k * columns + column]
        }
      }
    }
    return rounded(product)
  }

  /// c + op(a)·op(b) in double precision, each element's products added to it in order.
  ///
  /// - Parameters:
  ///   - a: [rows, inner], or [inner, rows] if `transposeA`.
  ///   - b: [inner, columns], or [columns, inner] if `transposeB`.
  ///   - c: [rows, columns].
  package static func preciseProduct(
    _ a: [Float], _ b: [Float], addedTo c: [Double], rows: Int, inner: Int, columns: Int, transposeA: Bool = false,
    transposeB: Bool = false
  ) -> [Double] {
    var sums = c
    for row in 0..<rows {
      for column in 0..<columns {
        for k in 0..<inner {
          sums[row * columns + column] +=
            Double(a[transposeA ? k * rows + row : row * inner + k])
            * Double(b[transposeB ? column * inner + k : k * columns + column])
        }
      }
    }
    return sums
  }
}
