import Datasets
import RealModule
import ReferenceKernels
import Testing

/// The exact distribution against dense matrices and finite differences.
struct GaussianFieldDistributionTests {
  /// Sums over some dozen values, in double precision; the smallest variance is some thousandths.
  static let tolerance = 1e-10

  private func distribution(size: Int = 4, channels: Int) -> GaussianFieldDistribution {
    GaussianFieldDistribution(GaussianField(size: size, channels: channels))
  }

  private func normals(_ count: Int, seed: UInt64 = 1) -> [Double] {
    TestData.normalDoubles(count, seed: seed)
  }

  /// ρ^|i − j| times Σ S·cos(2π·k·distance) / HW, by the definition.
  private func covariance(size: Int, channels: Int) -> [[Double]] {
    let spectrum = GaussianSpectrum.values(size: size)
    let dimension = size * size * channels
    return (0..<dimension).map { i in
      (0..<dimension).map { j in
        let (first, second) = (i / channels, j / channels)
        let (rows, columns) = (first / size - second / size, first % size - second % size)
        var sum = 0.0
        for mode in 0..<size * size {
          let turns = Double(mode / size * rows + mode % size * columns) / Double(size)
          sum += spectrum[mode] * Double.cos(2 * .pi * turns)
        }
        return sum / Double(size * size) * Double.pow(0.5, abs(i % channels - j % channels))
      }
    }
  }

  /// α²·K + σ².
  private func noised(_ covariance: [[Double]], alpha: Double, sigma: Double) -> [[Double]] {
    covariance.enumerated().map { row, values in
      values.enumerated().map { alpha * alpha * $1 + ($0 == row ? sigma * sigma : 0) }
    }
  }

  /// The inverse of a positive definite matrix and the logarithm of its determinant, by Gauss and Jordan.
  private func inverse(_ matrix: [[Double]]) -> (inverse: [[Double]], logDeterminant: Double) {
    let size = matrix.count
    var (rows, logDeterminant) = (matrix, 0.0)
    for row in 0..<size { rows[row] += (0..<size).map { $0 == row ? 1 : 0 } }
    for pivot in 0..<size {
      let factor = rows[pivot][pivot]
      logDeterminant += Double.log(factor)
      rows[pivot] = rows[pivot].map { $0 / factor }
      for row in 0..<size where row != pivot {
        let factor = rows[row][pivot]
        rows[row] = zip(rows[row], rows[pivot]).map { $0 - factor * $1 }
      }
    }
    return (rows.map { Array($0[size...]) }, logDeterminant)
  }

  private func product(_ matrix: [[Double]], _ vector: [Double]) -> [Double] {
    matrix.map { zip($0, vector).reduce(0) { $0 + $1.0 * $1.1 } }
  }

  private func largestDifference(_ first: [Double], _ second: [Double]) -> Double {
    first.count == second.count ? zip(first, second).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
  }

  @Test(arguments: [(4, 1), (3, 2), (4, 3)]) func covarianceFollowsTheDefinition(size: Int, channels: Int) {
    let expected = covariance(size: size, channels: channels)
    let actual = distribution(size: size, channels: channels).covariance()
    #expect(largestDifference(actual.flatMap { $0 }, expected.flatMap { $0 }) < Self.tolerance)
    for value in actual.indices { #expect(abs(actual[value][value] - 1) < Self.tolerance) }
  }

  @Test(arguments: [1, 2, 3], [(1.0, 0.0), (0.8, 0.6), (1.0, 5.0), (0.1, 0.02)])
  func logDensityIsThatOfTheDenseCovariance(channels: Int, noise: (alpha: Double, sigma: Double)) {
    let distribution = distribution(channels: channels)
    let field = normals(distribution.dimension)
    let dense = noised(covariance(size: 4, channels: channels), alpha: noise.alpha, sigma: noise.sigma)
    let (precision, logDeterminant) = inverse(dense)
    let square = zip(field, product(precision, field)).reduce(0) { $0 + $1.0 * $1.1 }
    let expected = -(square + logDeterminant + Double(field.count) * Double.log(2 * .pi)) / 2
    let actual = distribution.logDensity(of: field, alpha: noise.alpha, sigma: noise.sigma)
    #expect(abs(actual / expected - 1) < Self.tolerance)
    let score = distribution.score(at: field, alpha: noise.alpha, sigma: noise.sigma)
    let largest = score.reduce(0) { max($0, abs($1)) }
    #expect(largestDifference(score, product(precision, field).map { -$0 }) < Self.tolerance * largest)
  }

  /// The density is quadratic in logarithms: central differences are exact up to rounding.
  @Test func scoreAndDenoiserAreGradientsOfTheLogDensity() {
    let distribution = distribution(channels: 2)
    let field = normals(distribution.dimension)
    let (alpha, sigma, step) = (0.8, 0.6, 1e-3)
    let score = distribution.score(at: field, alpha: alpha, sigma: sigma)
    let denoised = distribution.denoised(field, alpha: alpha, sigma: sigma)
    for value in field.indices {
      func density(_ shift: Double) -> Double {
        var shifted = field
        shifted[value] += shift
        return distribution.logDensity(of: shifted, alpha: alpha, sigma: sigma)
      }
      let slope = (density(step) - density(-step)) / (2 * step)
      #expect(abs(score[value] - slope) < 1e-8)
      // E[x₀ | x_t] = (x_t + σ²·∇ log p) / α (Tweedie's formula).
      #expect(abs(denoised[value] - (field[value] + sigma * sigma * slope) / alpha) < 1e-8)
    }
  }

  /// C = (K⁻¹ + Aᵀ·A/σ²)⁻¹ and C·Aᵀ·y/σ².
  @Test(arguments: [1, 2]) func posteriorIsThatOfTheDensePrecision(channels: Int) {
    let distribution = distribution(channels: channels)
    let dimension = distribution.dimension
    // A mask of every third value, and the mean of four.
    var rows = stride(from: 0, to: dimension, by: 3).map { known in (0..<dimension).map { $0 == known ? 1.0 : 0.0 } }
    rows.append((0..<dimension).map { (5..<9).contains($0) ? 0.25 : 0 })
    let (values, sigma) = (normals(rows.count, seed: 2), 0.3)
    var precision = inverse(covariance(size: 4, channels: channels)).inverse
    for row in rows {
      for i in 0..<dimension {
        for j in 0..<dimension { precision[i][j] += row[i] * row[j] / (sigma * sigma) }
      }
    }
    let expected = inverse(precision).inverse
    let weighted = (0..<dimension).map { index in
      zip(rows, values).reduce(0) { $0 + $1.0[index] * $1.1 } / (sigma * sigma)
    }
    let posterior = distribution.posterior(measuring: rows, values: values, sigma: sigma)
    #expect(largestDifference(posterior.mean, product(expected, weighted)) < Self.tolerance)
    #expect(largestDifference(posterior.covariance.flatMap { $0 }, expected.flatMap { $0 }) < Self.tolerance)
  }

  @Test func posteriorOfAWholeNoisyFieldIsTheDenoiser() {
    let distribution = distribution(channels: 2)
    let values = normals(distribution.dimension)
    let all = values.indices.map { known in values.indices.map { $0 == known ? 1.0 : 0.0 } }
    let posterior = distribution.posterior(measuring: all, values: values, sigma: 0.5)
    #expect(
      largestDifference(posterior.mean, distribution.denoised(values, alpha: 1, sigma: 0.5)) < Self.tolerance)
  }
}
