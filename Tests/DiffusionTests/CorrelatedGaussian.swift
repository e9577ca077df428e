import Diffusion
import RealModule

/// Images drawn from N(mean, U·diag(eigenvalues)·Uᵀ), where U is the Hartley transform of an image's elements, which is
/// symmetric and orthogonal: elements are correlated with their neighbours, and everything is known in closed form.
struct CorrelatedGaussian: Sendable {
  let imageShape: [Int]
  let mean: Double
  let eigenvalues: [Double]
  private let transform: SquareMatrix

  /// - Parameter smoothness: 0 for uncorrelated elements.
  init(imageShape: [Int], mean: Double = 0.2, standardDeviation: Double = 0.5, smoothness: Double = 1.5) {
    self.imageShape = imageShape
    self.mean = mean
    let count = imageShape.reduce(1, *)
    let spectrum = (0..<count).map { number in
      let frequency = Double(min(number, count - number))
      return Double.pow(1 + frequency * frequency / 4, -smoothness)
    }
    let total = spectrum.reduce(0, +) / Double(count)
    eigenvalues = spectrum.map { standardDeviation * standardDeviation * $0 / total }
    transform = SquareMatrix(count) { row, column in
      let angle = 2 * Double.pi * Double(row * column % count) / Double(count)
      return (Double.cos(angle) + Double.sin(angle)) / Double(count).squareRoot()
    }
  }

  var count: Int { eigenvalues.count }

  /// U·diag(f(eigenvalue))·Uᵀ.
  func matrix(_ function: (Double) -> Double) -> SquareMatrix {
    let values = eigenvalues.map(function)
    return SquareMatrix(count) { row, column in
      (0..<count).reduce(0) { $0 + transform[row, $1] * values[$1] * transform[column, $1] }
    }
  }

  func draw(_ images: Int, seed: UInt64) -> DoubleTensor {
    let noise = matrix { $0.squareRoot() } * normals([images] + imageShape, seed: seed)
    return DoubleTensor(noise + DoubleTensor(repeating: mean, shape: noise.shape))
  }

  /// Mean and covariance of x_0 given one measurement, Σ − Σ·Aᵀ·(A·Σ·Aᵀ + diag(s²))⁻¹·A·Σ.
  func posterior(_ measurement: Measurement) -> (mean: [Double], covariance: SquareMatrix) {
    let forward = measurement.forward
    let units = DoubleTensor(SquareMatrix(count) { $0 == $1 ? 1 : 0 }.elements, shape: [count] + forward.imageShape)
    let columns = forward.apply(units)
    let measured = columns.imageSize
    let covariance = matrix { $0 }
    // A·Σ, row by row.
    func row(_ y: Int, _ x: Int) -> Double {
      (0..<count).reduce(0) { $0 + columns.elements[$1 * measured + y] * covariance[$1, x] }
    }
    let cross = (0..<measured).map { y in (0..<count).map { row(y, $0) } }
    let square = SquareMatrix(measured) { first, second in
      (0..<count).reduce(first == second ? measurement.variances.elements[first] : 0) {
        $0 + cross[first][$1] * columns.elements[$1 * measured + second]
      }
    }
    let factor = square.choleskyFactor
    let prior = DoubleTensor(repeating: mean, shape: [1] + imageShape)
    let residual = factor.solveLower(measurement.residual(prior).elements)
    let lowered = (0..<count).map { x in factor.solveLower(cross.map { $0[x] }) }
    func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    return (
      lowered.map { mean + product($0, residual) },
      SquareMatrix(count) { covariance[$0, $1] - product(lowered[$0], lowered[$1]) }
    )
  }
}

/// The optimal denoiser, with its derivative.
struct CorrelatedDenoiser: DifferentiableDenoiser {
  let data: CorrelatedGaussian
  let process: any ForwardProcess

  func estimate(_ x: DoubleTensor, at times: [Double], images: [Int]) -> Estimate {
    estimateWithPullback(x, at: times, images: images).estimate
  }

  func estimateWithPullback(
    _ x: DoubleTensor, at times: [Double], images: [Int]
  ) -> (estimate: Estimate, pullback: Estimate.Pullback) {
    precondition(Set(times).count == 1, "one time for all")
    let marginal = process.marginal(at: times[0])
    let (alpha, sigma) = (marginal.signal, marginal.sigma)
    let jacobian = data.matrix { alpha * $0 / (alpha * alpha * $0 + sigma * sigma) }
    let mean = DoubleTensor(repeating: data.mean, shape: x.shape)
    let original = DoubleTensor(mean + jacobian * DoubleTensor(x - alpha * mean))
    return (
      Estimate(original: original, of: x, at: times.map { _ in marginal }),
      { part, vector in
        let product = jacobian * vector
        return part == .original ? product : DoubleTensor(vector / sigma - alpha / sigma * product)
      }
    )
  }
}

/// A small matrix, by rows.
struct SquareMatrix: Sendable {
  let size: Int
  private(set) var elements: [Double]

  init(_ size: Int, _ element: (_ row: Int, _ column: Int) -> Double) {
    self.size = size
    elements = (0..<size * size).map { element($0 / size, $0 % size) }
  }

  subscript(row: Int, column: Int) -> Double { elements[row * size + column] }

  var trace: Double { (0..<size).reduce(0) { $0 + self[$1, $1] } }
  /// √Σ element².
  var norm: Double { elements.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  static func - (a: SquareMatrix, b: SquareMatrix) -> SquareMatrix {
    SquareMatrix(a.size) { a[$0, $1] - b[$0, $1] }
  }

  /// The product with each image.
  static func * (matrix: SquareMatrix, x: DoubleTensor) -> DoubleTensor {
    var result = DoubleTensor(shape: x.shape)
    let size = matrix.size
    for start in stride(from: 0, to: x.elements.count, by: size) {
      for row in 0..<size {
        var sum = 0.0
        for column in 0..<size { sum += matrix.elements[row * size + column] * x.elements[start + column] }
        result.elements[start + row] = sum
      }
    }
    return result
  }

  /// The lower triangular L with L·Lᵀ = this.
  var choleskyFactor: SquareMatrix {
    var factor = SquareMatrix(size) { _, _ in 0 }
    for row in 0..<size {
      for column in 0...row {
        let sum = (0..<column).reduce(self[row, column]) { $0 - factor[row, $1] * factor[column, $1] }
        factor.elements[row * size + column] = row == column ? sum.squareRoot() : sum / factor[column, column]
      }
    }
    return factor
  }

  /// L⁻¹·b of a lower triangular L.
  func solveLower(_ b: [Double]) -> [Double] {
    var solution = b
    for row in 0..<size {
      let sum = (0..<row).reduce(b[row]) { $0 - self[row, $1] * solution[$1] }
      solution[row] = sum / self[row, row]
    }
    return solution
  }

  /// Mean and covariance of images, each an element of a sample.
  static func moments(_ images: DoubleTensor) -> (mean: [Double], covariance: SquareMatrix) {
    let (count, size) = (images.imageCount, images.imageSize)
    var mean = [Double](repeating: 0, count: size)
    for (index, value) in images.elements.enumerated() { mean[index % size] += value / Double(count) }
    var products = [Double](repeating: 0, count: size * size)
    for start in stride(from: 0, to: images.elements.count, by: size) {
      let centred = (0..<size).map { images.elements[start + $0] - mean[$0] }
      for row in 0..<size {
        for column in 0..<size { products[row * size + column] += centred[row] * centred[column] }
      }
    }
    return (mean, SquareMatrix(size) { products[$0 * size + $1] / Double(count - 1) })
  }
}

/// Normal numbers whose mean and covariance are exactly 0 and I: whatever is a linear function of them has no
/// statistical error in either.
func whitenedNormals(_ shape: [Int], seed: UInt64) -> DoubleTensor {
  let x = normals(shape, seed: seed)
  let (mean, covariance) = SquareMatrix.moments(x)
  let factor = covariance.choleskyFactor
  let whitened = (0..<x.imageCount).flatMap { image in
    factor.solveLower(zip(x.elements[x.range(ofImage: image)], mean).map { $0 - $1 })
  }
  return DoubleTensor(whitened, shape: shape)
}
