import ReferenceKernels
import Tensors

extension TestData {
  /// The result of `body` in an array of `count` elements that initially contains NaN, to detect elements that are not
  /// written.
  static func written(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
    filled([Float](repeating: .nan, count: count), body)
  }

  /// `values` after `body` has worked on them.
  static func filled(_ values: [Float], _ body: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
    var values = values
    values.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
    return values
  }

  /// The result of `body` in a tensor that initially contains NaN.
  static func written(_ shape: [Int], _ body: (Tensor) -> Void) -> [Float] {
    filled([Float](repeating: .nan, count: shape.reduce(1, *)), shape, body)
  }

  /// `values` after `body` has worked on them in a tensor.
  static func filled(_ values: [Float], _ shape: [Int], _ body: (Tensor) -> Void) -> [Float] {
    let tensor = Tensor(values, shape: shape)
    body(tensor)
    return tensor.elements
  }

  /// ∂(Σ weights·f(x))/∂x by central differences in double precision.
  ///
  /// With a step of 1e-5 the truncation error (step²) and the rounding error (2⁻⁵³/step) are both about 1e-10.
  static func finiteDifferences(of f: ([Double]) -> [Double], at x: [Double], weights: [Double]) -> [Double] {
    let step = 1e-5
    func loss(_ x: [Double]) -> Double { zip(f(x), weights).reduce(0) { $0 + $1.0 * $1.1 } }
    return x.indices.map { index in
      var (above, below) = (x, x)
      above[index] += step
      below[index] -= step
      return (loss(above) - loss(below)) / (2 * step)
    }
  }

  /// The error of finite differences of functions of order one: see `finiteDifferences`, with a margin for curvature.
  static let finiteDifferenceTolerance = 1e-7
}
