import MicroKernels

/// Softmax of the rows of a matrix, for attention.
package enum Softmax {
  /// Replaces each row s of `scores` by softmax(scale·s) = e^(scale·s − m) / Σ e^(scale·s − m), where m is the maximum
  /// of scale·s in the row.
  ///
  /// - Parameter scores: [rows, columns]; overwritten with the probabilities.
  package static func forwardRows(_ scores: UnsafeMutablePointer<Float>, rows: Int, columns: Int, scale: Float) {
    for row in 0..<rows { forwardRow(scores + row * columns, columns, scale) }
  }

  private static func forwardRow(_ row: UnsafeMutablePointer<Float>, _ columns: Int, _ scale: Float) {
    let factor = Vector(repeating: scale)
    // Unused lanes must not affect the maximum or the sum.
    let filled = laneNumbers .< Vector(repeating: Float(columns % vectorWidth))
    var largest = Vector(repeating: -.infinity)
    @inline(__always)
    func compare(_ c: Int, _ lanes: Int) {
      let scaled = load(row + c, lanes) * factor
      let isLarger = scaled .> largest
      largest.replace(with: scaled, where: lanes == vectorWidth ? isLarger : isLarger .& filled)
    }
    forEachVector(columns, compare)
    let shift = Vector(repeating: -largest.max())
    var sums = Vector()
    @inline(__always)
    func addWeights(_ c: Int, _ lanes: Int) {
      let weights = exponential(shift.addingProduct(load(row + c, lanes), factor))
      store(weights, row + c, lanes)
      sums += lanes == vectorWidth ? weights : Vector().replacing(with: weights, where: filled)
    }
    forEachVector(columns, addWeights)
    let inverse = Vector(repeating: Float(1 / sums.doubleSum))
    @inline(__always)
    func divide(_ c: Int, _ lanes: Int) { store(load(row + c, lanes) * inverse, row + c, lanes) }
    forEachVector(columns, divide)
  }

  /// Replaces dProbabilities by the gradient with respect to the scores: scale·p·(dp − Σ p·dp) in each row.
  ///
  /// - Parameters:
  ///   - probabilities: as computed by `forwardRows`, [rows, columns].
  ///   - dProbabilities: ∂loss/∂probabilities [rows, columns]; overwritten.
  package static func backwardRows(
    probabilities: UnsafePointer<Float>, dProbabilities: UnsafeMutablePointer<Float>, rows: Int, columns: Int,
    scale: Float
  ) {
    for row in 0..<rows {
      let (p, dp) = (probabilities + row * columns, dProbabilities + row * columns)
      var sums = Vector()
      @inline(__always)
      func accumulate(_ c: Int, _ lanes: Int) { sums = sums.addingProduct(load(p + c, lanes), load(dp + c, lanes)) }
      forEachVector(columns, accumulate)
      let mean = Vector(repeating: Float(sums.doubleSum))
      let factor = Vector(repeating: scale)
      @inline(__always)
      func propagate(_ c: Int, _ lanes: Int) {
        store((load(dp + c, lanes) - mean) * load(p + c, lanes) * factor, dp + c, lanes)
      }
      forEachVector(columns, propagate)
    }
  }

  private static var laneNumbers: Vector { Vector(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) }
}
