/// The Fréchet distance between the Gaussians with two sets' means and covariances, called FID with Inception's
/// features (Heusel et al., arXiv:1706.08500, equation 6; Dowson and Landau, 1982):
///
///     d² = |μ₁ − μ₂|² + tr Σ₁ + tr Σ₂ − 2·tr √(√Σ₁·Σ₂·√Σ₁)
///
/// As usual, this is the square of the distance.
package struct FrechetDistance: Codable, Sendable, Equatable {
  /// d². For equal statistics, rounding may make it slightly negative: about 1e-14 of tr Σ₁ + tr Σ₂.
  package let value: Double
  /// |μ₁ − μ₂|².
  package let meanTerm: Double
  /// The contribution of the covariances.
  package let covarianceTerm: Double
  /// The number of images on each side, if known. With few images the distance is too large: see docs/evaluation.md.
  package let firstCount: Int?
  package let secondCount: Int?

  /// - Throws: `EvaluationError` if dimensions differ, a number is not finite, or a matrix is not a covariance.
  package init(_ first: FeatureStatistics, _ second: FeatureStatistics) throws(EvaluationError) {
    guard first.dimension == second.dimension else { throw .dimensionsDiffer(first.dimension, second.dimension) }
    meanTerm = zip(first.mean, second.mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let root1 = try CovarianceRoot(of: first, name: "the first covariance")
    let root2 = try CovarianceRoot(of: second, name: "the second covariance")
    covarianceTerm = first.trace + second.trace - 2 * (try root1.traceOfRoot(with: root2))
    value = meanTerm + covarianceTerm
    guard value.isFinite else { throw .notFinite(location: "the distance") }
    (firstCount, secondCount) = (first.count, second.count)
  }
}

extension FeatureStatistics {
  fileprivate var trace: Double { (0..<dimension).reduce(0) { $0 + covariance[$1 * (dimension + 1)] } }

  /// tr Σ + |μ|², about the mean square of a feature's length. Rounding errors are proportional to it, however little
  /// the features vary.
  fileprivate var meanSquare: Double { mean.reduce(trace) { $0 + $1 * $1 } }
}

/// A matrix A with A·Aᵀ = Σ: Σ's eigenvectors, times the roots of their eigenvalues.
private struct CovarianceRoot {
  let dimension: Int
  /// Columns: the number of nonzero eigenvalues.
  let rank: Int
  /// [dimension, rank], column-major.
  let elements: [Double]

  /// The number of roundings, relative to the features' mean square, below which an eigenvalue counts as zero: rounding
  /// turns a zero eigenvalue into one of either sign of this order, or of one rounding per added image. Its root would
  /// be a hundred million times larger, and there are hundreds of such eigenvalues if there are fewer images than
  /// features or if all images are alike. The bound is at most a billionth, however many images a file claims.
  private static let roundings = 64...1 << 22
  /// The largest negative eigenvalue, relative to the mean square, of a covariance that was computed or stored in
  /// single precision.
  private static let storage = 1e-5

  init(of statistics: FeatureStatistics, name: String) throws(EvaluationError) {
    dimension = statistics.dimension
    for (index, value) in statistics.mean.enumerated() where !value.isFinite {
      throw .notFinite(location: "number \(index) of a mean")
    }
    for (index, value) in statistics.covariance.enumerated() where !value.isFinite {
      throw .notFinite(location: "element (\(index / dimension), \(index % dimension)) of \(name)")
    }
    let decomposition = try LinearAlgebra.eigenDecomposition(of: statistics.covariance, n: dimension)
    let (smallest, largest) = (decomposition.values[0], decomposition.values[dimension - 1])
    let scale = max(statistics.meanSquare, largest)
    guard smallest >= -Self.storage * scale else {
      throw .notACovariance(name: name, eigenvalue: smallest, largest: largest)
    }
    // Ascending order: nonzero eigenvalues come last.
    let roundings = min(max(statistics.count ?? 0, Self.roundings.lowerBound), Self.roundings.upperBound)
    let rounding = Double(roundings) * Double.ulpOfOne * scale
    let zeros = decomposition.values.prefix { $0 <= rounding }.count
    rank = dimension - zeros
    var elements = Array(decomposition.vectors[(zeros * dimension)...])
    for column in 0..<rank {
      let root = decomposition.values[zeros + column].squareRoot()
      for index in column * dimension..<(column + 1) * dimension { elements[index] *= root }
    }
    self.elements = elements
  }

  /// tr √(√Σ₁·Σ₂·√Σ₁).
  ///
  /// The eigenvalues of √Σ₁·Σ₂·√Σ₁ are the squares of A₁ᵀ·A₂'s singular values. Singular values are accurate to a
  /// rounding of the largest one; an eigenvalue would have lost half of its digits before its root is taken.
  func traceOfRoot(with other: CovarianceRoot) throws(EvaluationError) -> Double {
    let product = LinearAlgebra.transposedProduct(
      elements, other.elements, m: rank, n: other.rank, depth: dimension)
    return try LinearAlgebra.singularValues(of: product, rows: rank, columns: other.rank).reversed().reduce(0, +)
  }
}
