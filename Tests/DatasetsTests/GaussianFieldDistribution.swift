import Datasets
import RealModule
import Spectra
import Tensors

/// The exact distribution of `GaussianField`, of its noised fields x_t = α·x₀ + σ·ε with standard normal ε, and of
/// fields of which a linear measurement is known; for tests of what a model has learnt and of methods that draw from
/// posteriors.
///
/// The Hartley transform of the points and the eigenvectors of the channels' correlations turn a field into independent
/// normal numbers u with variances v; those of x_t have the variances α²·v + σ². Fields are [H, W, C] in row-major order,
/// in double precision.
struct GaussianFieldDistribution: Sendable {
  /// [H, W, C].
  let shape: [Int]
  private let spectrum: TypedTensor<Double>
  private let transform: HartleyTransform
  private let channelVariances: [Double]
  /// The unit vectors of the channels' correlation matrix, one for each of `channelVariances`.
  private let channelVectors: [[Double]]

  init(_ field: GaussianField) {
    shape = field.shape
    spectrum = field.spectrum
    transform = field.transform
    let channels = 0..<field.shape[2]
    let correlations = channels.map { i in channels.map { Self.channelCorrelation(i, $0) } }
    (channelVariances, channelVectors) = Self.eigenDecomposition(of: correlations)
  }

  /// The number of values of a field.
  var dimension: Int { shape.reduce(1, *) }

  /// The logarithm of the density of x_t at a field.
  func logDensity(of field: [Double], alpha: Double = 1, sigma: Double = 0) -> Double {
    var sum = 0.0
    forEachCoefficient(of: field) { coefficient, variance in
      let variance = alpha * alpha * variance + sigma * sigma
      sum += coefficient * coefficient / variance + Double.log(2 * .pi * variance)
    }
    return -sum / 2
  }

  /// The gradient of the logarithm of the density of x_t at a field.
  func score(at field: [Double], alpha: Double = 1, sigma: Double = 0) -> [Double] {
    filtered(field) { variance in -1 / (alpha * alpha * variance + sigma * sigma) }
  }

  /// E[x₀ | x_t], the best denoiser.
  func denoised(_ field: [Double], alpha: Double, sigma: Double) -> [Double] {
    filtered(field) { variance in alpha * variance / (alpha * alpha * variance + sigma * sigma) }
  }

  /// The covariance of the values of a field, [H·W·C, H·W·C].
  func covariance() -> [[Double]] {
    let (size, channels) = (shape[0], shape[2])
    precondition(dimension <= Self.largestDense, "dense matrices are for at most \(Self.largestDense) values")
    // At the distance (y, x) it is Σ S·cos·cos / HW: the transform of the spectrum, which is even along both axes.
    let covariances = spectrum.copied()
    transform.transform(covariances)
    return (0..<dimension).map { i in
      (0..<dimension).map { j in
        let (point, other) = (i / channels, j / channels)
        let rows = (other / size - point / size + size) % size
        let columns = (other % size - point % size + size) % size
        return covariances[rows * size + columns] / Double(size)
          * Self.channelCorrelation(i % channels, j % channels)
      }
    }
  }

  /// Mean and covariance of x₀, given the measurement y = A·x₀ + σ·ε of some numbers.
  ///
  /// - Parameters:
  ///   - rows: A, a row of H·W·C weights for each number; for a mask, the unit vectors of the known values.
  ///   - values: y.
  ///   - sigma: the noise's standard deviation, above 0.
  func posterior(
    measuring rows: [[Double]], values: [Double], sigma: Double
  ) -> (mean: [Double], covariance: [[Double]]) {
    precondition(rows.count == values.count, "\(rows.count) weights for \(values.count) numbers")
    precondition(rows.allSatisfy { $0.count == dimension }, "a measurement weighs \(dimension) values")
    precondition(sigma > 0, "a measurement needs noise")
    var covariance = covariance()
    // A·K, and the Cholesky factor L of A·K·Aᵀ + σ².
    var gain = rows.map { weights in covariance.map { Self.product(weights, $0) } }
    let factor = Self.choleskyFactor(
      of: gain.enumerated().map { row, products in
        rows.enumerated().map { Self.product(products, $1) + ($0 == row ? sigma * sigma : 0) }
      })
    // L⁻¹·A·K and L⁻¹·y.
    var residuals = values
    for row in gain.indices {
      for earlier in 0..<row {
        residuals[row] -= factor[row][earlier] * residuals[earlier]
        for index in 0..<dimension { gain[row][index] -= factor[row][earlier] * gain[earlier][index] }
      }
      residuals[row] /= factor[row][row]
      for index in 0..<dimension { gain[row][index] /= factor[row][row] }
    }
    var mean = [Double](repeating: 0, count: dimension)
    for (row, residual) in zip(gain, residuals) {
      for index in 0..<dimension {
        mean[index] += row[index] * residual
        for other in 0..<dimension { covariance[index][other] -= row[index] * row[other] }
      }
    }
    return (mean, covariance)
  }

  /// For dense matrices, which have the square of this many numbers: 128 MiB.
  private static let largestDense = 4096

  private static func channelCorrelation(_ i: Int, _ j: Int) -> Double {
    Double.pow(GaussianField.correlation, abs(i - j))
  }

  // MARK: The basis of independent numbers

  /// The field whose coefficients are those of another one times a function of their variances.
  private func filtered(_ field: [Double], by factor: (_ variance: Double) -> Double) -> [Double] {
    let coefficients = coefficients(of: field)
    let (points, channels) = (spectrum.count, shape[2])
    let planes = TypedTensor<Double>(repeating: 0, shape: [channels, shape[0], shape[1]])
    for (part, vector) in channelVectors.enumerated() {
      for mode in 0..<points {
        let value = coefficients[part * points + mode] * factor(spectrum[mode] * channelVariances[part])
        for channel in 0..<channels { planes[channel * points + mode] += vector[channel] * value }
      }
    }
    transform.transform(planes)
    return (0..<dimension).map { planes[$0 % channels * points + $0 / channels] }
  }

  private func forEachCoefficient(of field: [Double], _ body: (_ coefficient: Double, _ variance: Double) -> Void) {
    let (coefficients, points) = (coefficients(of: field), spectrum.count)
    for part in channelVariances.indices {
      for mode in 0..<points { body(coefficients[part * points + mode], spectrum[mode] * channelVariances[part]) }
    }
  }

  /// The independent numbers u of a field, [C, H·W].
  private func coefficients(of field: [Double]) -> [Double] {
    precondition(field.count == dimension, "\(field.count) values are no field of shape \(shape)")
    let (points, channels) = (spectrum.count, shape[2])
    let planes = TypedTensor<Double>(uninitialised: [channels, shape[0], shape[1]])
    for (index, value) in field.enumerated() { planes[index % channels * points + index / channels] = value }
    transform.transform(planes)
    return channelVectors.flatMap { vector in
      (0..<points).map { mode in
        (0..<channels).reduce(0) { $0 + vector[$1] * planes[$1 * points + mode] }
      }
    }
  }
}

// Small dense matrices, as rows.
extension GaussianFieldDistribution {
  private static func product(_ first: [Double], _ second: [Double]) -> Double {
    zip(first, second).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// L with L·Lᵀ = the matrix.
  private static func choleskyFactor(of matrix: [[Double]]) -> [[Double]] {
    var factor = matrix
    for row in matrix.indices {
      for column in 0...row {
        let rest = matrix[row][column] - product(Array(factor[row][..<column]), Array(factor[column][..<column]))
        if row == column {
          precondition(rest > 0, "the measurement's covariance is singular up to rounding; it needs more noise")
          factor[row][row] = rest.squareRoot()
        } else {
          factor[row][column] = rest / factor[column][column]
        }
      }
    }
    return factor
  }

  /// Eigenvalues and unit eigenvectors of a symmetric matrix, by Jacobi's rotations.
  private static func eigenDecomposition(of matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
    var matrix = matrix
    let size = matrix.count
    var vectors = (0..<size).map { i in (0..<size).map { $0 == i ? 1.0 : 0.0 } }
    // The elements off the diagonal vanish quadratically: a few sweeps reach the precision of a double.
    for _ in 0..<32 {
      var largest = 0.0
      for p in 0..<size {
        for q in p + 1..<size {
          let element = matrix[p][q]
          largest = max(largest, abs(element))
          if element == 0 { continue }
          let slope = (matrix[q][q] - matrix[p][p]) / (2 * element)
          let tangent = (slope < 0 ? -1 : 1) / (abs(slope) + (slope * slope + 1).squareRoot())
          let cosine = 1 / (tangent * tangent + 1).squareRoot()
          let sine = tangent * cosine
          for k in 0..<size {
            (matrix[k][p], matrix[k][q]) = (
              cosine * matrix[k][p] - sine * matrix[k][q], sine * matrix[k][p] + cosine * matrix[k][q]
            )
          }
          for k in 0..<size {
            (matrix[p][k], matrix[q][k]) = (
              cosine * matrix[p][k] - sine * matrix[q][k], sine * matrix[p][k] + cosine * matrix[q][k]
            )
            (vectors[p][k], vectors[q][k]) = (
              cosine * vectors[p][k] - sine * vectors[q][k], sine * vectors[p][k] + cosine * vectors[q][k]
            )
          }
        }
      }
      if largest < 1e-17 { break }
    }
    return ((0..<size).map { matrix[$0][$0] }, vectors)
  }
}
