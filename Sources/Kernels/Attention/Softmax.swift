import MicroKernels

/// Softmax of the rows of a matrix, for attention.
public enum Softmax {
  /// Replaces each row s of `scores` by softmax(scale·s) = e^(scale·s − m) / Σ e^(scale·s − m), where m is the maximum
  /// of scale·s in the row.
  ///
  /// - Parameter scores: [rows, columns]; overwritten with the probabilities.
  package static func forwardRows(_ scores: UnsafeMutablePointer<Float>, rows: Int, columns: Int, scale: Float) {
    for row in 0..<rows { forwardRow(scores + row * columns, columns, scale) }
  }

  private static func forwardRow(_ row: UnsafeMutablePointer<Float>, _ columns: Int, _ scale: Float) {
    let rest = columns % vectorWidth
    let end = columns - rest
    let factor = Vector(repeating: scale)
    // Unused lanes must not affect the maximum or the sum.
    let filled = laneNumbers .< Vector(repeating: Float(rest))
    var largest = Vector(repeating: -.infinity)
    for c in stride(from: 0, to: end, by: vectorWidth) {
      let scaled = load16(row + c) * factor
      largest.replace(with: scaled, where: scaled .> largest)
    }
    if rest > 0 {
      let scaled = loadPartial(row + end, rest) * factor
      largest.replace(with: scaled, where: (scaled .> largest) .& filled)
    }
    let shift = Vector(repeating: -largest.max())
    var sums = Vector()
    for c in stride(from: 0, to: end, by: vectorWidth) {
      let weight = exponential(shift.addingProduct(load16(row + c), factor))
      store16(weight, row + c)
      sums += weight
    }
    if rest > 0 {
      let weight = exponential(shift.addingProduct(loadPartial(row + end, rest), factor))
      storePartial(weight, row + end, rest)
      sums += Vector().replacing(with: weight, where: filled)
    }
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
