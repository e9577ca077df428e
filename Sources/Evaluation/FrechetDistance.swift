/// The Fréchet distance between the Gaussians with two sets' means and covariances, called FID with Inception's
/// features (Heusel et al., arXiv:1706.08500, equation 6; Dowson and Landau, 1982):
///
///     d² = |μ₁ − μ₂|² + tr Σ₁ + tr Σ₂ − 2·tr √(√Σ₁·Σ₂·√Σ₁)
///
/// As is usual, this is the square of the distance.
public struct FrechetDistance: Codable, Sendable, Equatable {
  /// d². Rounding may leave a little less than zero of it for equal statistics: some 1e-14 of tr Σ₁ + tr Σ₂.
  public let value: Double
  /// |μ₁ − μ₂|².
  public let meanTerm: Double
  /// The rest: how far the covariances are apart.
  public let covarianceTerm: Double
  /// Images of either side, where that is known. With few, the distance is too large: see docs/evaluation.md.
  public let firstCount: Int?
  public let secondCount: Int?

  /// - Throws: `EvaluationError` if dimensions differ, a number is not finite, or a matrix is no covariance.
  public init(_ first: FeatureStatistics, _ second: FeatureStatistics) throws(EvaluationError) {
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

  /// tr Σ + |μ|², about the mean square of a feature's length: what rounding is in proportion to, however little the
  /// features vary.
  fileprivate var meanSquare: Double { mean.reduce(trace) { $0 + $1 * $1 } }
}

/// A matrix A with A·Aᵀ = Σ: Σ's eigenvectors, times the roots of their eigenvalues.
private struct CovarianceRoot {
  let dimension: Int
  /// Columns: eigenvalues that are not zero.
  let rank: Int
  /// [dimension, rank], column-major.
  let elements: [Double]

  /// Rounding makes of an eigenvalue of zero one of either sign, of the order of this, or of one rounding for each image
  /// that was added, relative to the features' mean square. Its root would be a hundred million times larger, and there
  /// are hundreds of them where there are fewer images than features, or where all images are alike: such eigenvalues
  /// are zero. However many images a file claims, they are a billionth at most.
  private static let roundings = 64...1 << 22
  /// What an eigenvalue may be below zero, relative to the mean square, in a covariance that was computed or stored in
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
    // Ascending: what is not zero comes last.
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
  /// The eigenvalues of √Σ₁·Σ₂·√Σ₁ are the squares of A₁ᵀ·A₂'s singular values. Singular values are found to within
  /// rounding of the largest one; the root of an eigenvalue would have lost half the digits before it is drawn.
  func traceOfRoot(with other: CovarianceRoot) throws(EvaluationError) -> Double {
    let product = LinearAlgebra.transposedProduct(
      elements, other.elements, m: rank, n: other.rank, depth: dimension)
    return try LinearAlgebra.singularValues(of: product, rows: rank, columns: other.rank).reversed().reduce(0, +)
  }
}
