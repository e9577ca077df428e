import Differentiation
import Tensors
import Testing

@Suite struct TapeTests {
  let parameters = TestParameters([[4, 4], [4], [4, 4], [4], [4], [4], [8], [4]])

  private var tape: Tape {
    Tape(recordingWith: parameters.values, gradients: parameters.gradients, workers: WorkerPool(threadCount: 1))
  }

  private func input() -> Tensor { TestData.normals([2, 3, 3, 4], seed: 1) }

  /// Two linear maps, of which the first is used twice, around a normalisation.
  private func network(_ tape: Tape, _ x: Variable) -> Variable {
    let p = parameters.entries
    let first = tape.pointwise(x, matrix: p[0], bias: p[1])
    let normalised = tape.groupNorm(first, scale: p[4], offset: p[5], groupCount: 2, epsilon: 1e-5)
    let again = tape.pointwise(normalised, matrix: p[0], bias: p[1], residual: first)
    return tape.pointwise(again, matrix: p[2], bias: p[3])
  }

  @Test func eachGradientIsReportedFinalOnceAndDoesNotChangeAfterwards() {
    let tape = tape
    var announced: [String: [Float]] = [:]
    var order: [String] = []
    tape.parameterGradientIsFinal = { [parameters] entry in
      order.append(entry.name)
      announced[entry.name] = parameters.gradients.tensor(entry).elements
    }
    let result = network(tape, tape.input(input()))
    #expect(order.isEmpty)
    tape.unwind(from: result, seed: TestData.normals(result.value.shape, seed: 2))
    let used = parameters.entries[..<6]
    #expect(order.sorted() == used.map(\.name).sorted())
    for entry in used {
      #expect(announced[entry.name] == parameters.gradients.tensor(entry).elements, "\(entry.name)")
      #expect(parameters.gradients.tensor(entry).elements.contains { $0 != 0 }, "\(entry.name)")
    }
    // The last operation's parameters come first, and those used twice last.
    #expect(Set(order.prefix(2)) == Set(parameters.entries[2...3].map(\.name)))
    #expect(Set(order.suffix(2)) == Set(parameters.entries[0...1].map(\.name)))
  }

  @Test func gradientsOfParametersWithoutEffectAreReportedToo() {
    let tape = tape
    let p = parameters.entries
    var order: [String] = []
    tape.parameterGradientIsFinal = { order.append($0.name) }
    let x = tape.input(input())
    let result = tape.pointwise(x, matrix: p[0], bias: p[1])
    // The results of these operations are not used.
    _ = tape.pointwise(tape.pointwise(result, matrix: p[2], bias: p[3]), matrix: p[0], bias: p[1])
    tape.unwind(from: result, seed: TestData.normals(result.value.shape, seed: 2))
    #expect(order.sorted() == p[..<4].map(\.name).sorted())
    #expect(Set(order.prefix(2)) == Set(p[2...3].map(\.name)))
    #expect(parameters.gradients.tensor(p[2]).elements.allSatisfy { $0 == 0 })
    #expect(parameters.gradients.tensor(p[0]).elements.contains { $0 != 0 })
  }

  @Test func aTapeCanBeReusedAfterUnwinding() {
    let tape = tape
    var announced = 0
    tape.parameterGradientIsFinal = { _ in announced += 1 }
    func pass() {
      let result = network(tape, tape.input(input()))
      tape.unwind(from: result, seed: TestData.normals(result.value.shape, seed: 2))
    }
    pass()
    let once = parameters.gradientElements
    pass()
    #expect(announced == 12)
    for (sum, alone) in zip(parameters.gradientElements, once) {
      #expect(TestData.relativeError(sum, alone.map { 2 * Double($0) }) < Operation.singlePrecision)
    }
  }

  @Test(arguments: [false, true])
  func onlyARecordingTapeKeepsActivationsUntilItIsUnwound(isRecording: Bool) {
    let tape =
      isRecording ? tape : Tape(inferenceWith: parameters.values, workers: WorkerPool(threadCount: 1))
    #expect(tape.isRecording == isRecording)
    weak var activation: FloatBuffer?
    func forward() -> Variable {
      let hidden = tape.silu(tape.input(input(), needsGradient: true))
      activation = hidden.value.buffer
      return tape.silu(hidden)
    }
    let result = forward()
    #expect((activation != nil) == isRecording)
    #expect(result.needsGradient == isRecording)
    if isRecording {
      tape.unwind(from: result, seed: Tensor(repeating: 1, shape: result.value.shape))
      #expect(activation == nil)
    }
    withExtendedLifetime(tape) {}
  }

  @Test func normalisedValuesAreFreedAndRecomputed() {
    let tape = tape
    let p = parameters.entries
    weak var normalised: FloatBuffer?
    func forward() -> Variable {
      let first = tape.pointwise(tape.input(input()), matrix: p[0], bias: p[1])
      let norm = tape.groupNorm(first, scale: p[4], offset: p[5], groupCount: 2, epsilon: 1e-5)
      normalised = norm.value.buffer
      #expect(normalised != nil)
      return tape.groupNorm([norm, norm], scale: p[6], offset: p[6], groupCount: 2, epsilon: 1e-5)
    }
    let result = forward()
    #expect(normalised == nil)
    withExtendedLifetime((tape, result)) {}
  }

  @Test func unneededGradientsAreNotRecorded() {
    let tape = Tape(recordingWith: parameters.values, gradients: nil, workers: WorkerPool(threadCount: 1))
    let result = network(tape, tape.input(input()))
    #expect(!result.needsGradient)
  }
}
