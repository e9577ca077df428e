import COpenBLAS

/// Decompositions of matrices in double precision, by LAPACK, on one thread: with more threads, the order of additions,
/// and so the bits, would depend on their number. Matrices are column-major.
enum LinearAlgebra {
  /// A symmetric matrix as Σ λ_i·v_i·v_iᵀ.
  ///
  /// - Parameter matrix: [n, n], n ≥ 1, finite; one triangle of it is read.
  /// - Returns: λ, in ascending order, and [n, n], the unit vector v_i in column i, starting at index i·n.
  static func eigenDecomposition(
    of matrix: [Double], n: Int
  ) throws(EvaluationError) -> (values: [Double], vectors: [Double]) {
    precondition(n >= 1 && matrix.count == n * n, "the matrix must be square")
    openblas_set_num_threads(1)
    var vectors = matrix
    var values = [Double](repeating: 0, count: n)
    let size = [Int32(n)]
    // For a workspace size of −1, LAPACK returns the size that it needs.
    var (wish, integerWish, status) = (0.0, Int32(0), Int32(0))
    dsyevd_("V", "L", size, &vectors, size, &values, &wish, [-1], &integerWish, [-1], &status, 1, 1)
    var work = [Double](repeating: 0, count: Int(wish))
    var integers = [Int32](repeating: 0, count: Int(integerWish))
    dsyevd_(
      "V", "L", size, &vectors, size, &values, &work, [Int32(wish)], &integers, [integerWish], &status, 1, 1)
    try check(status, "dsyevd")
    return (values, vectors)
  }

  /// The singular values, in descending order.
  ///
  /// - Parameter matrix: [rows, columns], finite.
  static func singularValues(of matrix: [Double], rows: Int, columns: Int) throws(EvaluationError) -> [Double] {
    precondition(matrix.count == rows * columns, "the matrix must have these rows and columns")
    let count = min(rows, columns)
    if count == 0 { return [] }
    openblas_set_num_threads(1)
    var matrix = matrix
    var values = [Double](repeating: 0, count: count)
    let (rows, columns, one) = ([Int32(rows)], [Int32(columns)], [Int32(1)])
    var integers = [Int32](repeating: 0, count: 8 * count)
    var (wish, status) = (0.0, Int32(0))
    // "N": no vectors, so no memory for them.
    dgesdd_("N", rows, columns, &matrix, rows, &values, nil, one, nil, one, &wish, [-1], &integers, &status, 1)
    var work = [Double](repeating: 0, count: Int(wish))
    dgesdd_(
      "N", rows, columns, &matrix, rows, &values, nil, one, nil, one, &work, [Int32(wish)], &integers, &status, 1)
    try check(status, "dgesdd")
    return values
  }

  /// aᵀ·b, [m, n].
  ///
  /// - Parameters:
  ///   - a: [depth, m].
  ///   - b: [depth, n].
  static func transposedProduct(_ a: [Double], _ b: [Double], m: Int, n: Int, depth: Int) -> [Double] {
    precondition(a.count == depth * m && b.count == depth * n, "the columns must have the same length")
    if m == 0 || n == 0 { return [] }
    openblas_set_num_threads(1)
    var product = [Double](repeating: 0, count: m * n)
    let (rows, columns, depth) = ([Int32(m)], [Int32(n)], [Int32(depth)])
    dgemm_("T", "N", rows, columns, depth, [1], a, depth, b, depth, [0], &product, rows, 1, 1)
    return product
  }

  private static func check(_ status: Int32, _ routine: String) throws(EvaluationError) {
    precondition(status >= 0, "argument \(-status) of \(routine) is wrong")
    if status > 0 { throw .notConverged(routine: routine, status: Int(status)) }
  }
}
