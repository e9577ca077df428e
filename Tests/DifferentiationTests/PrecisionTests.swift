import Differentiation
import Kernels
import Tensors
import Testing

/// Tapes that round results to bfloat16.
@Suite struct PrecisionTests {
  private static let rounding = Arithmetic(precision: .bfloat16)

  private let parameters = TestParameters([[4, 4], [4], [4], [4], [3, 3, 4, 4], [4], [8, 4], [4]])
  private let input = TestData.normals([2, 3, 3, 4], seed: 1)

  private func makeTape(
    _ arithmetic: Arithmetic = PrecisionTests.rounding, threads: Int = 1, profiler: Profiler? = nil
  ) -> Tape {
    Tape(
      recordingWith: parameters.values, gradients: parameters.gradients, workers: WorkerPool(threadCount: threads),
      profiler: profiler, arithmetic: arithmetic)
  }

  // MARK: Operations

  private static func rounded(_ values: [Float]) -> [Float] { values.map { BFloat16.widen(BFloat16.round($0)) } }

  @Test(arguments: Operation.all)
  func resultsAreRoundedUnlessTheyAreRecomputedOrSmall(operation: Operation) {
    let exact = operation.run()
    let isRecomputed = ["groupNorm", "resampled by"].contains(where: operation.testDescription.contains)
    let isSmall = exact.value.shape.count == 2
    let expected = isRecomputed || isSmall ? exact.value.elements : Self.rounded(exact.value.elements)
    for threads in [1, 3] {
      let outcome = operation.run(threads: threads, arithmetic: Self.rounding)
      #expect(TestData.sameBits(outcome.value.elements, expected))
      // A backward pass computes in single precision, here from inputs that were not rounded.
      #expect(zip(outcome.all.dropFirst(), exact.all.dropFirst()).allSatisfy { TestData.sameBits($0, $1) })
    }
    let parameters = TestParameters(operation.parameterShapes)
    let inference = Tape(
      inferenceWith: parameters.values, workers: WorkerPool(threadCount: 1), arithmetic: Self.rounding)
    let result = operation.apply(inference, operation.inputs.map { inference.input($0) }, parameters.entries)
    #expect(TestData.sameBits(result.value.elements, expected))
  }

  @Test func resultsInSinglePrecisionAreKeptAsTheyAre() {
    let (tape, exact) = (makeTape(), makeTape(Arithmetic()))
    weak var activation: FloatBuffer?
    func forward() -> Variable {
      let hidden = tape.inSinglePrecision { tape.silu(tape.input(input, needsGradient: true)) }
      activation = hidden.value.buffer
      #expect(hidden.value.elements == exact.silu(exact.input(input)).value.elements)
      return tape.silu(hidden)
    }
    let result = forward()
    #expect(activation != nil)
    #expect(result.value.elements == Self.rounded(result.value.elements))
    withExtendedLifetime(tape) {}
  }

  // MARK: Kept values

  /// Every operation that keeps values, most of them with several consumers.
  private func network(_ tape: Tape, _ x: Variable, _ visit: (Variable) -> Void) -> Variable {
    let p = parameters.entries
    let a = tape.pointwise(x, matrix: p[0], bias: p[1])
    let norm = tape.groupNorm(a, scale: p[2], offset: p[3], groupCount: 2, epsilon: 1e-5)
    let b = tape.convolution3x3(norm, kernel: p[4], bias: p[5], residual: a)
    let c = tape.silu(b)
    let d = tape.attention(query: a, key: b, value: c)
    let e = tape.pointwise([d, a], matrix: p[6], bias: p[7], residual: b)
    [a, norm, b, c, d, e].forEach(visit)
    return tape.silu(tape.sum(e, b, scale: 0.5))
  }

  private func bits(holdsVariables: Bool, threads: Int = 1, profiler: Profiler? = nil) -> [[UInt32]] {
    parameters.gradients.clear()
    let tape = makeTape(threads: threads, profiler: profiler)
    let x = tape.input(input, needsGradient: true)
    var held: [Variable] = []
    let result = network(tape, x) { if holdsVariables { held.append($0) } }
    tape.unwind(from: result, seed: TestData.normals(result.value.shape, seed: 2))
    withExtendedLifetime(held) {}
    return ([result.value.elements, x.inputGradient!.elements] + parameters.gradientElements)
      .map { $0.map(\.bitPattern) }
  }

  @Test func aBackwardPassFromCopiesHasTheBitsOfOneFromTheValues() {
    let (holding, releasing) = (Profiler(), Profiler())
    let expected = bits(holdsVariables: true, profiler: holding)
    #expect(expected.allSatisfy { $0.contains { $0 << 1 != 0 } })
    #expect(bits(holdsVariables: false, profiler: releasing) == expected)
    // The sum is not held. Of the others, no backward pass needs e.
    #expect(holding.totals[.widening]!.calls == 1)
    #expect(releasing.totals[.widening]!.calls == 5)
    for threads in [2, 5] { #expect(bits(holdsVariables: false, threads: threads) == expected) }
  }

  @Test func floatsAreFreedAfterTheForwardPassAndMadeAgainOnce() {
    let profiler = Profiler()
    let tape = makeTape(profiler: profiler)
    weak var activation: FloatBuffer?
    func forward() -> Variable {
      let hidden = tape.silu(tape.input(input, needsGradient: true))
      activation = hidden.value.buffer
      return tape.sum(tape.silu(hidden), tape.silu(hidden))
    }
    let result = forward()
    #expect(activation == nil)
    #expect(profiler.totals[.widening] == nil)
    tape.unwind(from: result, seed: Tensor(repeating: 1, shape: result.value.shape))
    #expect(profiler.totals[.widening]!.calls == 1)
  }

  @Test(arguments: Precision.allCases)
  func aParkedVariableIsFreedIfItWasRounded(precision: Precision) {
    func pass(parks: Bool) -> [[Float]] {
      let tape = makeTape(Arithmetic(precision: precision))
      let x = tape.input(input, needsGradient: true)
      weak var activation: FloatBuffer?
      func encode() -> (parked: ParkedVariable, hidden: Variable?, last: Variable) {
        let hidden = tape.silu(x)
        activation = hidden.value.buffer
        return (ParkedVariable(hidden), parks ? nil : hidden, tape.silu(hidden))
      }
      let (parked, hidden, last) = encode()
      if parks { #expect((activation == nil) == (precision == .bfloat16)) }
      func decode() -> Variable {
        let variable = hidden ?? parked.resumed()
        activation = variable.value.buffer
        return tape.silu(tape.sum(last, tape.silu(variable)))
      }
      let result = decode()
      if parks { #expect((activation == nil) == (precision == .bfloat16)) }
      tape.unwind(from: result, seed: TestData.normals(result.value.shape, seed: 2))
      return [result.value.elements, x.inputGradient!.elements]
    }
    #expect(pass(parks: true) == pass(parks: false))
  }

  @Test func anInferenceTapeParksVariablesAsTheyAre() {
    let tape = Tape(
      inferenceWith: parameters.values, workers: WorkerPool(threadCount: 1), arithmetic: Self.rounding)
    let hidden = tape.silu(tape.input(input))
    #expect(ParkedVariable(hidden).resumed().value.buffer === hidden.value.buffer)
  }

  // MARK: Recomputed parts

  @Test func theResultOfARecomputedPartIsCopiedAndNotMadeAgain() {
    let profiler = Profiler()
    let tape = makeTape(profiler: profiler)
    func forward() -> Variable {
      let x = tape.input(input, needsGradient: true)
      let inner = tape.recomputing([x]) { inputs, tape in tape.silu(tape.silu(inputs[0])) }
      return tape.silu(inner)
    }
    let result = forward()
    // Two inside the part, its copy, and one after it.
    #expect(profiler.totals[.rounding]!.calls == 4)
    tape.unwind(from: result, seed: Tensor(repeating: 1, shape: result.value.shape))
    // The part's first operation again, but not its last one.
    #expect(profiler.totals[.rounding]!.calls == 5)
  }

  @Test func aRecomputedPartThatEndsWithANormalisationIsNotRounded() {
    func pass(recomputes: Bool) -> [[Float]] {
      parameters.gradients.clear()
      let (tape, p) = (makeTape(), parameters.entries)
      let x = tape.input(input, needsGradient: true)
      func part(_ inputs: [Variable], _ tape: Tape) -> Variable {
        tape.groupNorm(tape.silu(inputs[0]), scale: p[2], offset: p[3], groupCount: 2, epsilon: 1e-5)
      }
      let norm = recomputes ? tape.recomputing([x], part) : part([x], tape)
      let result = tape.silu(norm)
      tape.unwind(from: result, seed: TestData.normals(result.value.shape, seed: 2))
      return [norm.value.elements, result.value.elements, x.inputGradient!.elements] + parameters.gradientElements
    }
    #expect(pass(recomputes: true) == pass(recomputes: false))
  }
}
