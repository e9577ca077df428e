import Tensors

/// Mean and covariance of features: the Gaussian that a Fréchet distance compares.
package struct FeatureStatistics: Sendable, Equatable {
  /// μ, [D].
  package let mean: [Double]
  /// Σ, [D, D], symmetric.
  package let covariance: [Double]
  /// The number of images, if known.
  package let count: Int?

  /// D.
  package var dimension: Int { mean.count }

  /// - Parameters:
  ///   - mean: [D].
  ///   - covariance: [D, D], symmetric.
  ///   - count: nil if unknown.
  package init(mean: [Double], covariance: [Double], count: Int?) {
    precondition(covariance.count == mean.count * mean.count, "a mean of D numbers needs a covariance of D·D")
    self.mean = mean
    self.covariance = covariance
    self.count = count
  }

  /// The statistics of features that are all on this rank.
  ///
  /// - Throws: `EvaluationError` if a feature is not finite, or for fewer than two images.
  package init(_ features: Features, workers: WorkerPool) throws(EvaluationError) {
    try features.checkFinite()
    let sums = FeatureSums(dimension: features.dimension)
    sums.add(features.tensor, workers: workers)
    try self.init(count: features.count, sum: sums.sum.elements, products: sums.products.elements)
  }

  /// μ = Σ f / N, and the unbiased covariance (Σ f·fᵀ − N·μ·μᵀ) / (N − 1), as `numpy.cov` defines it.
  ///
  /// The difference loses digits if features vary little compared to their mean: of about sixteen, twice as many as the
  /// mean is orders of magnitude larger than the standard deviation. Features after a rectifier have means of the order
  /// of their standard deviations.
  ///
  /// - Parameter products: Σ f·fᵀ, [D, D]; elements left of the diagonal are ignored.
  init(count: Int, sum: [Double], products: [Double]) throws(EvaluationError) {
    try Self.check(count: count)
    let dimension = sum.count
    let images = Double(count)
    var covariance = products
    for row in 0..<dimension {
      for column in row..<dimension {
        let value = (covariance[row * dimension + column] - sum[row] * sum[column] / images) / (images - 1)
        covariance[row * dimension + column] = value
        covariance[column * dimension + row] = value
      }
    }
    self.init(mean: sum.map { $0 / images }, covariance: covariance, count: count)
  }

  /// - Throws: `EvaluationError` if there are too few images for a covariance.
  static func check(count: Int) throws(EvaluationError) {
    guard count >= 2 else { throw .tooFewImages(count, minimum: 2, measure: "a covariance") }
  }
}
