import Evaluation
import Tensors
import Testing

@Suite struct FrechetDistanceTests {
  /// Relative to the traces, whose difference the distance is: about 64 roundings.
  static let tolerance = 1e-14

  private func diagonal(_ variances: [Double], mean: [Double]? = nil) -> FeatureStatistics {
    var covariance = [Double](repeating: 0, count: variances.count * variances.count)
    for (index, variance) in variances.enumerated() { covariance[index * (variances.count + 1)] = variance }
    return FeatureStatistics(
      mean: mean ?? [Double](repeating: 0, count: variances.count), covariance: covariance, count: nil)
  }

  /// Q·diag(values)·Qᵀ with the reflection Q = 1 − 2·u·uᵀ / |u|².
  private func reflected(_ values: [Double], along u: [Double]) -> FeatureStatistics {
    let n = values.count
    let length = u.reduce(0) { $0 + $1 * $1 }
    func q(_ row: Int, _ column: Int) -> Double { (row == column ? 1 : 0) - 2 * u[row] * u[column] / length }
    var matrix = [Double](repeating: 0, count: n * n)
    for row in 0..<n {
      for column in 0..<n {
        matrix[row * n + column] = (0..<n).reduce(0) { $0 + q(row, $1) * values[$1] * q(column, $1) }
      }
    }
    return FeatureStatistics(mean: [Double](repeating: 0, count: n), covariance: matrix, count: nil)
  }

  private func trace(_ statistics: FeatureStatistics) -> Double {
    (0..<statistics.dimension).reduce(0) { $0 + statistics.covariance[$1 * (statistics.dimension + 1)] }
  }

  /// |μ₁ − μ₂|² + Σ (σ₁ − σ₂)².
  @Test func diagonalCovariancesHaveAClosedForm() throws {
    let distance = try FrechetDistance(diagonal([4, 9, 0, 1], mean: [1, 2, 3, 4]), diagonal([1, 25, 16, 0]))
    #expect(abs(distance.meanTerm - 30) < 30 * Self.tolerance)
    #expect(abs(distance.covarianceTerm - (1 + 4 + 16 + 1)) < 56 * Self.tolerance)
    #expect(distance.value == distance.meanTerm + distance.covarianceTerm)
  }

  /// The same for any common eigenvectors, whatever the eigenvalues' magnitudes.
  @Test(arguments: [1.0, 1e-8, 1e12]) func covariancesThatCommuteHaveAClosedForm(scale: Double) throws {
    let n = 30
    let u = (0..<n).map { Double($0 % 7) - 2.5 }
    let (first, second) = ((0..<n).map { scale * Double($0 * $0) }, (0..<n).map { scale * Double(($0 * 5) % 11) })
    let expected = zip(first, second).reduce(0) {
      $0 + ($1.0.squareRoot() - $1.1.squareRoot()) * ($1.0.squareRoot() - $1.1.squareRoot())
    }
    let (a, b) = (reflected(first, along: u), reflected(second, along: u))
    #expect(abs(try FrechetDistance(a, b).value - expected) < (trace(a) + trace(b)) * Self.tolerance)
  }

  /// In two dimensions tr √M = √(tr M + 2·√det M), with the trace and determinant of Σ₁·Σ₂.
  @Test func noncommutingCovariancesHaveAClosedFormInTwoDimensions() throws {
    let a = FeatureStatistics(mean: [0, 0], covariance: [2, 1, 1, 3], count: 5)
    let b = FeatureStatistics(mean: [0, 0], covariance: [5, -2, -2, 1], count: nil)
    let (traceOfProduct, determinant) = (2.0 * 5 + 2 * (1 * -2) + 3 * 1, 5.0 * 1)
    let expected = 5 + 6 - 2 * (traceOfProduct + 2 * determinant.squareRoot()).squareRoot()
    let distance = try FrechetDistance(a, b)
    #expect(abs(distance.value - expected) < 11 * Self.tolerance)
    #expect(distance.firstCount == 5 && distance.secondCount == nil)
    #expect(abs(try FrechetDistance(b, a).value - expected) < 11 * Self.tolerance)
  }

  /// With fewer images than features, a covariance is singular; rounding errors must not count as spread.
  @Test(arguments: [2, 10, 64, 300]) func equalStatisticsHaveDistanceZero(count: Int) throws {
    let statistics = try FeatureStatistics(
      TestFeatures.rectified(count, dimension: 64, seed: 4), workers: .callingThread)
    #expect(abs(try FrechetDistance(statistics, statistics).value) < 2 * trace(statistics) * Self.tolerance)
  }

  /// One image and its mirror: Σ = 2·x·xᵀ has rank one, so the root's trace is 2·|x·y|.
  @Test func covariancesOfRankOneHaveAClosedForm() throws {
    let (x, y) = (TestFeatures.normals(1, dimension: 50, seed: 5), TestFeatures.normals(1, dimension: 50, seed: 6))
    let statistics = try [x, y].map {
      try FeatureStatistics(Features($0.values + $0.values.map { -$0 }, dimension: 50), workers: .callingThread)
    }
    let inner = zip(x.values, y.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    let traces = trace(statistics[0]) + trace(statistics[1])
    let value = try FrechetDistance(statistics[0], statistics[1]).value
    #expect(abs(value - (traces - 4 * abs(inner))) < traces * Self.tolerance)
  }

  @Test func withoutVarianceOnlyTheMeansCount() throws {
    let still = diagonal([0, 0], mean: [3, 4])
    #expect(try FrechetDistance(still, diagonal([0, 0])).value == 25)
    #expect(try FrechetDistance(still, diagonal([1, 4])).value == 30)
  }

  /// A collapsed model's images. Sums of thousands of equal numbers have thousands of rounding errors, which must not
  /// count as spread.
  @Test(arguments: [2, 100, 10_000], [1, 2]) func identicalImagesHaveAFiniteDistance(count: Int, kinds: Int) throws {
    let dimension = 40
    let images = TestFeatures.rectified(kinds, dimension: dimension, seed: 10, shift: 3)
    let equal = Features((0..<count).flatMap { images[$0 % kinds] }, dimension: dimension)
    let real = try FeatureStatistics(
      TestFeatures.rectified(300, dimension: dimension, seed: 11), workers: .callingThread)
    let collapsed = try FeatureStatistics(equal, workers: .callingThread)
    // In double precision from the images: one direction of variation, the difference of the two kinds, if there are
    // two.
    let difference = zip(images[0], images[kinds - 1]).map { (Double($0) - Double($1)) / 2 }
    let variance = Double(count) / Double(count - 1)
    let projected = (0..<dimension * dimension).reduce(0.0) {
      $0 + difference[$1 / dimension] * real.covariance[$1] * difference[$1 % dimension]
    }
    let mean = zip(images[0], images[kinds - 1]).map { (Double($0) + Double($1)) / 2 }
    let expected =
      zip(mean, real.mean).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } + trace(real)
      + variance * difference.reduce(0) { $0 + $1 * $1 } - 2 * (variance * projected).squareRoot()
    let scale = expected + trace(real) + mean.reduce(0) { $0 + $1 * $1 }
    let tolerance = Double(max(count, 64)) * Double.ulpOfOne * scale
    #expect(abs(try FrechetDistance(collapsed, real).value - expected) < tolerance)
    #expect(abs(try FrechetDistance(real, collapsed).value - expected) < tolerance)
    #expect(abs(try FrechetDistance(collapsed, collapsed).value) < tolerance)
  }

  /// An eigenvalue below zero by more than rounding errors, on the scale of the features, is an error.
  @Test func indefiniteMatricesAreRefusedRelativeToTheFeatures() throws {
    let large = [1e3, 0]
    #expect(throws: Never.self) { try FrechetDistance(diagonal([1, -1e-3], mean: large), diagonal([1, 1])) }
    #expect(throws: EvaluationError.self) { try FrechetDistance(diagonal([1, -20], mean: large), diagonal([1, 1])) }
    #expect(throws: EvaluationError.self) { try FrechetDistance(diagonal([-1, -1]), diagonal([1, 1])) }
  }

  @Test func statisticsThatDoNotFitAreRefused() {
    #expect(throws: EvaluationError.dimensionsDiffer(2, 1)) { try FrechetDistance(diagonal([1, 1]), diagonal([1])) }
    #expect(throws: EvaluationError.notFinite(location: "element (1, 1) of the second covariance")) {
      try FrechetDistance(diagonal([1, 1]), diagonal([1, .nan]))
    }
    #expect(throws: EvaluationError.notFinite(location: "number 0 of a mean")) {
      try FrechetDistance(diagonal([1, 1], mean: [.infinity, 0]), diagonal([1, 1]))
    }
    #expect(throws: EvaluationError.notACovariance(name: "the first covariance", eigenvalue: -1, largest: 1)) {
      try FrechetDistance(diagonal([1, -1]), diagonal([1, 1]))
    }
  }

  /// Single precision leaves eigenvalues slightly below zero.
  @Test func covariancesInSinglePrecisionAreAccepted() throws {
    let exact = try FeatureStatistics(TestFeatures.rectified(20, dimension: 40, seed: 7), workers: .callingThread)
    let stored = FeatureStatistics(mean: exact.mean, covariance: exact.covariance.map { Double(Float($0)) }, count: nil)
    let single = 6e-8
    // A zero that became 6e-8 of the largest eigenvalue has the root √6e-8.
    #expect(abs(try FrechetDistance(exact, stored).value) < 40 * single * trace(exact))
  }

  @Test func equalStatisticsGiveEqualBits() throws {
    let (a, b) = (
      try FeatureStatistics(TestFeatures.rectified(90, dimension: 130, seed: 8), workers: .callingThread),
      try FeatureStatistics(TestFeatures.rectified(200, dimension: 130, seed: 9, shift: 1), workers: .callingThread)
    )
    let distances = try (0..<5).map { _ in try FrechetDistance(a, b) }
    #expect(distances.allSatisfy { $0 == distances[0] })
  }
}
