import Differentiation
import Kernels
import Tensors
import Testing

/// One operation of the tape at one shape, with its reference implementation in double precision.
struct Operation: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let inputShapes: [[Int]]
  let parameterShapes: [[Int]]
  /// The maximum error of a result, relative to the largest number of its tensor.
  let tolerance: Double
  let apply: @Sendable (Tape, [Variable], [ParameterEntry]) -> Variable
  let value: @Sendable (_ inputs: [[Double]], _ parameters: [[Double]]) -> [Double]
  let gradients: @Sendable (_ inputs: [[Double]], _ parameters: [[Double]], _ dy: [Double]) -> Gradients

  struct Gradients {
    var inputs: [[Double]]
    var parameters: [[Double]] = []
  }

  /// For descriptions of operations that may be periodic.
  static func suffix(_ periodicity: Periodicity) -> String {
    periodicity == .none ? "" : ", periodic: \(periodicity)"
  }

  /// Sums of up to some hundred products in single precision, each rounded to 6e-8 of the largest: errors of both signs
  /// add up to about ten of those.
  static let singlePrecision = 2e-6

  /// Winograd's transforms take differences of larger numbers, which costs a factor of about ten.
  static let winograd = 2e-5

  var inputs: [Tensor] { inputShapes.enumerated().map { TestData.normals($1, seed: UInt64($0 + 1)) } }

  /// What the tape computes.
  struct Outcome {
    let value: Tensor
    let seed: Tensor
    let inputGradients: [[Float]]
    let parameterGradients: [[Float]]

    var all: [[Float]] { [value.elements] + inputGradients + parameterGradients }
  }

  func run(threads: Int = 1, arithmetic: Arithmetic = Arithmetic()) -> Outcome {
    let parameters = TestParameters(parameterShapes)
    let tape = Tape(
      recordingWith: parameters.values, gradients: parameters.gradients, workers: WorkerPool(threadCount: threads),
      arithmetic: arithmetic)
    let variables = inputs.map { tape.input($0, needsGradient: true) }
    let result = apply(tape, variables, parameters.entries)
    let seed = TestData.normals(result.value.shape, seed: 50)
    tape.unwind(from: result, seed: seed)
    return Outcome(
      value: result.value, seed: seed, inputGradients: variables.map { $0.inputGradient?.elements ?? [] },
      parameterGradients: parameters.gradientElements)
  }
}
