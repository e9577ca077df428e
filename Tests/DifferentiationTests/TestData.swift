import Differentiation
import Kernels
import Tensors

/// Numbers for tests and ways to compare them.
enum TestData {
  /// Independent standard normal numbers, the same on every run.
  static func normals(_ shape: [Int], seed: UInt64) -> Tensor {
    let tensor = Tensor(uninitialised: shape)
    RandomStream(seed: seed, purpose: .noise).fillNormal(tensor)
    return tensor
  }

  /// The largest |actual − expected| as a share of the largest |expected|; infinite when a number is not finite or the
  /// counts differ.
  static func relativeError(_ actual: [Float], _ expected: [Double]) -> Double {
    guard actual.count == expected.count else { return .infinity }
    var (largest, scale) = (0.0, Double.leastNormalMagnitude)
    for (left, right) in zip(actual, expected) {
      let difference = abs(Double(left) - right)
      if !difference.isFinite { return .infinity }
      largest = max(largest, difference)
      scale = max(scale, abs(right))
    }
    return largest / scale
  }

  /// Whether two arrays contain the same bits.
  static func sameBits(_ a: [Float], _ b: [Float]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern }
  }

  /// The columns `range` of a matrix whose rows are `width` long.
  static func columns<Scalar>(_ range: Range<Int>, of matrix: [Scalar], width: Int) -> [Scalar] {
    var result: [Scalar] = []
    for start in stride(from: 0, to: matrix.count, by: width) {
      result += matrix[start + range.lowerBound..<start + range.upperBound]
    }
    return result
  }

  /// The rows of two matrices side by side.
  static func joined(_ a: [Double], width left: Int, _ b: [Double], width right: Int) -> [Double] {
    var result: [Double] = []
    for row in 0..<a.count / left {
      result += a[row * left..<(row + 1) * left]
      result += b[row * right..<(row + 1) * right]
    }
    return result
  }

  static func doubles(_ tensor: Tensor) -> [Double] { tensor.elements.map(Double.init) }
}

/// Parameters with random values, and an arena for their gradients.
struct TestParameters {
  let entries: [ParameterEntry]
  let values: Arena
  let gradients: Arena

  init(_ shapes: [[Int]], seed: UInt64 = 100) {
    var layout = ParameterLayout()
    entries = shapes.enumerated().map { index, shape in
      layout.add("parameter-\(index)", shape: shape, order: shape.count == 4 ? .hwio : shape.count == 2 ? .io : .c)
    }
    values = Arena(layout)
    gradients = Arena(layout)
    for (index, entry) in entries.enumerated() {
      RandomStream(seed: seed + UInt64(index), purpose: .initialisation)
        .fillNormal(values.tensor(entry))
    }
  }

  var doubles: [[Double]] { entries.map { values.tensor($0).elements.map(Double.init) } }
  var gradientElements: [[Float]] { entries.map { gradients.tensor($0).elements } }
}

/// Operations on x in one piece.
extension Tape {
  func pointwise(
    _ x: Variable, matrix: ParameterEntry, bias: ParameterEntry, residual: Variable? = nil, scale: Float = 1
  ) -> Variable {
    pointwise([x], matrix: matrix, bias: bias, residual: residual, scale: scale)
  }

  func groupNorm(
    _ x: Variable, scale: ParameterEntry, offset: ParameterEntry, modulation: Variable? = nil, groupCount: Int,
    epsilon: Float, activation: Activation = .silu, dropout: Dropout? = nil
  ) -> Variable {
    groupNorm(
      [x], scale: scale, offset: offset, modulation: modulation, groupCount: groupCount, epsilon: epsilon,
      activation: activation, dropout: dropout)
  }
}
