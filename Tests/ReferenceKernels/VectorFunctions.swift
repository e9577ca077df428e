import Kernels

/// The functions of vectors in `Kernels`, on arrays. They are here because this module is compiled as `Kernels` is, and
/// therefore passes vectors in the same registers.
package enum VectorFunctions {
  package static func exponential(_ x: [Float]) -> [Float] { values(of: Kernels.exponential, at: x) }

  package static func sigmoid(_ x: [Float]) -> [Float] { values(of: Kernels.sigmoid, at: x) }

  private static func values(of function: (SIMD16<Float>) -> SIMD16<Float>, at x: [Float]) -> [Float] {
    var values: [Float] = []
    for first in stride(from: 0, to: x.count, by: 16) {
      let lanes = min(16, x.count - first)
      var vector = SIMD16<Float>()
      for lane in 0..<lanes { vector[lane] = x[first + lane] }
      let results = function(vector)
      for lane in 0..<lanes { values.append(results[lane]) }
    }
    return values
  }
}
