import Foundation
import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct VectorMathTests {
  /// Two units in the last place of a number in [1, 2), the worst place for a relative error.
  static let relativeTolerance = 2 * 0x1p-23

  @Test func exponentialAgreesWithDoublePrecision() {
    let x = stride(from: Float(-87), through: 88, by: 0.0007).map { $0 }
    var largestError = 0.0
    for (argument, value) in zip(x, VectorFunctions.exponential(x)) {
      let exact = exp(Double(argument))
      largestError = max(largestError, abs(Double(value) - exact) / exact)
    }
    #expect(largestError < Self.relativeTolerance)
  }

  @Test func exponentialOfZeroIsOne() {
    #expect(VectorFunctions.exponential([0, -0]) == [1, 1])
  }

  @Test func exponentialSaturatesAndKeepsNaN() {
    let values = VectorFunctions.exponential([-.infinity, -1000, -88, 89, 1000, .infinity, .nan])
    #expect(values[0] > 0 && values[0] < 2e-38 && values[1] == values[0] && values[2] == values[0])
    #expect(values[3].isFinite && values[3] > 1e38 && values[4] == values[3] && values[5] == values[3])
    #expect(values[6].isNaN)
  }

  @Test func sigmoidAgreesWithDoublePrecisionAndStaysBetweenZeroAndOne() {
    let x = stride(from: Float(-80), through: 80, by: 0.003).map { $0 } + [-.infinity, -1e30, 1e30, .infinity]
    for (argument, value) in zip(x, VectorFunctions.sigmoid(x)) {
      #expect(value >= 0 && value <= 1)
      // Another unit for each of the sum and the division.
      let exact = 1 / (1 + exp(-max(-80, min(80, Double(argument)))))
      #expect(abs(Double(value) - exact) <= 2 * Self.relativeTolerance * exact + 1e-34)
    }
    #expect(VectorFunctions.sigmoid([.nan])[0].isNaN)
  }

  @Test(arguments: [1, 15, 16, 17, 100_003]) func siluMatchesItsDefinition(_ count: Int) {
    let (x, dy) = (TestData.normals(count).map { 3 * $0 }, TestData.normals(count, seed: 2))
    // Numbers up to about 13, a few roundings each.
    let tolerance = 13 * 8 * 0x1p-24
    for pool in TestData.pools {
      let (input, gradient) = (Tensor(x, shape: [count]), Tensor(dy, shape: [count]))
      let y = TestData.written([count]) { Elementwise.siluForward(input, into: $0, workers: pool) }
      let dx = TestData.written([count]) { Elementwise.siluBackward(input, dy: gradient, into: $0, workers: pool) }
      let exactY = x.map { Double($0) / (1 + exp(-Double($0))) }
      let exactDx = zip(x, dy).map { x, dy in
        let gate = 1 / (1 + exp(-Double(x)))
        return Double(dy) * gate * (1 + Double(x) * (1 - gate))
      }
      #expect(TestData.largestDifference(y.map { Double($0) }, exactY) < tolerance)
      #expect(TestData.largestDifference(dx.map { Double($0) }, exactDx) < tolerance)
    }
  }
}
