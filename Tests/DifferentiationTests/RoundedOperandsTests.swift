import Differentiation
import Kernels
import Tensors
import Testing

/// Linear maps of tapes whose convolutions have operands rounded to bfloat16.
@Suite struct RoundedOperandsTests {
  /// Convolutions that are products of matrices.
  struct Map: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let apply: @Sendable (Tape, Variable, [ParameterEntry]) -> Variable
  }

  private static let shapes = [[4, 5], [5], [3, 3, 4, 5], [5]]
  static let maps = [
    Map(testDescription: "pointwise") { tape, x, p in tape.pointwise(x, matrix: p[0], bias: p[1]) },
    Map(testDescription: "downsampling") { tape, x, p in tape.downsampling3x3(x, kernel: p[2], bias: p[3]) },
  ]

  private struct Outcome {
    let value: [Float]
    let inputGradient: [Float]
    let kernelGradients: [Float]
    let biasGradients: [Float]
  }

  private static func run(
    _ map: Map, _ method: ConvolutionMethod, inputShape: [Int] = [2, 4, 6, 4], roundingOperands: Bool = false,
    threads: Int = 1
  ) -> Outcome {
    let parameters = TestParameters(shapes)
    func operand(_ tensor: Tensor) -> Tensor {
      if roundingOperands { BFloat16.roundInPlace(tensor, workers: .callingThread) }
      return tensor
    }
    for entry in parameters.entries where entry.shape.count > 1 { _ = operand(parameters.values.tensor(entry)) }
    let tape = Tape(
      recordingWith: parameters.values, gradients: parameters.gradients, workers: WorkerPool(threadCount: threads),
      arithmetic: Arithmetic(convolutionMethod: method))
    let x = tape.input(operand(TestData.normals(inputShape, seed: 1)), needsGradient: true)
    let result = map.apply(tape, x, parameters.entries)
    tape.unwind(from: result, seed: operand(TestData.normals(result.value.shape, seed: 2)))
    let gradients = parameters.gradientElements
    return Outcome(
      value: result.value.elements, inputGradient: x.inputGradient?.elements ?? [],
      kernelGradients: gradients[0] + gradients[2], biasGradients: gradients[1] + gradients[3])
  }

  @Test(arguments: maps) func productsAreThoseOfRoundedOperands(map: Map) {
    let exact = Self.run(map, .winograd)
    let expected = Self.run(map, .winograd, roundingOperands: true)
    for threads in [1, 3] {
      let outcome = Self.run(map, .rounded, threads: threads)
      for (actual, expected) in [
        (outcome.value, expected.value), (outcome.inputGradient, expected.inputGradient),
        (outcome.kernelGradients, expected.kernelGradients),
      ] {
        #expect(TestData.relativeError(actual, expected.map(Double.init)) < Operation.singlePrecision)
      }
      #expect(!TestData.sameBits(outcome.value, exact.value))
      // Sums of gradients have no operands that are rounded.
      #expect(TestData.sameBits(outcome.biasGradients, exact.biasGradients))
    }
  }

  @Test func mapsOfOneRowPerImageAreNotRounded() {
    let outcomes = [ConvolutionMethod.rounded, .winograd].map { Self.run(Self.maps[0], $0, inputShape: [3, 4]) }
    #expect(TestData.sameBits(outcomes[0].value, outcomes[1].value))
    #expect(TestData.sameBits(outcomes[0].inputGradient, outcomes[1].inputGradient))
    #expect(TestData.sameBits(outcomes[0].kernelGradients, outcomes[1].kernelGradients))
  }
}
