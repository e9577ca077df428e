import Differentiation
import Kernels
import Tensors
import Testing

@Suite struct RecomputationTests {
  let parameters = TestParameters([[4, 4], [4], [4, 4], [4], [4], [4], [3, 3, 4, 4], [4], [8, 4], [4]])

  private func tape(threads: Int = 1, wantsGradients: Bool = true, precision: Precision = .float32) -> Tape {
    Tape(
      recordingWith: parameters.values, gradients: wantsGradients ? parameters.gradients : nil,
      workers: WorkerPool(threadCount: threads), arithmetic: Arithmetic(precision: precision))
  }

  private func input() -> Tensor { TestData.normals([2, 3, 3, 4], seed: 1) }

  /// A residual part with every kind of saved value, whose result is not needed by the backward pass.
  private func part(_ inputs: [Variable], _ tape: Tape) -> Variable {
    let p = parameters.entries
    let norm = tape.groupNorm(inputs[0], scale: p[4], offset: p[5], groupCount: 2, epsilon: 1e-5)
    let h = tape.pointwise(norm, matrix: p[0], bias: p[1], residual: inputs[1])
    let attended = tape.attention(query: h, key: h, value: tape.silu(h))
    let mixed = tape.pointwise([attended, h], matrix: p[8], bias: p[9])
    return tape.convolution3x3(mixed, kernel: p[6], bias: p[7], residual: inputs[0])
  }

  private func part(_ a: Variable, _ b: Variable, _ tape: Tape, recomputes: Bool) -> Variable {
    recomputes ? tape.recomputing([a, b], part) : part([a, b], tape)
  }

  /// Parts whose inputs have other consumers before and after, share their gradient's storage, and are recomputed
  /// themselves; with parameters shared between the parts and the rest.
  private func network(_ tape: Tape, _ x: Variable, recomputes: Bool) -> Variable {
    let p = parameters.entries
    let first = tape.pointwise(x, matrix: p[2], bias: p[3])
    let norm = tape.groupNorm(first, scale: p[4], offset: p[5], groupCount: 1, epsilon: 1e-5)
    let one = part(norm, first, tape, recomputes: recomputes)
    let two = part(one, norm, tape, recomputes: recomputes)
    let three = part(two, two, tape, recomputes: recomputes)
    return tape.pointwise(three, matrix: p[0], bias: p[1], residual: one)
  }

  /// The value, and the gradients of the input and of all parameters.
  private func bits(recomputes: Bool, threads: Int, precision: Precision) -> [[UInt32]] {
    parameters.gradients.clear()
    let tape = tape(threads: threads, precision: precision)
    let x = tape.input(input(), needsGradient: true)
    let result = network(tape, x, recomputes: recomputes)
    tape.unwind(from: result, seed: TestData.normals(result.value.shape, seed: 2))
    return ([result.value.elements, x.inputGradient!.elements] + parameters.gradientElements)
      .map { $0.map(\.bitPattern) }
  }

  @Test(arguments: [1, 2], Precision.allCases)
  func recomputationDoesNotChangeTheBits(threads: Int, precision: Precision) {
    let kept = bits(recomputes: false, threads: threads, precision: precision)
    #expect(bits(recomputes: true, threads: threads, precision: precision) == kept)
    #expect(kept.allSatisfy { $0.contains { $0 << 1 != 0 } })
  }

  @Test func eachGradientIsReportedFinalOnceAndDoesNotChangeAfterwards() {
    func announcements(recomputes: Bool) -> [String] {
      parameters.gradients.clear()
      let tape = tape()
      var announced: [String: [Float]] = [:]
      var order: [String] = []
      tape.parameterGradientIsFinal = { [parameters] entry in
        order.append(entry.name)
        announced[entry.name] = parameters.gradients.tensor(entry).elements
      }
      let result = network(tape, tape.input(input()), recomputes: recomputes)
      #expect(order.isEmpty)
      tape.unwind(from: result, seed: TestData.normals(result.value.shape, seed: 2))
      for entry in parameters.entries {
        #expect(announced[entry.name] == parameters.gradients.tensor(entry).elements, "\(entry.name)")
      }
      return order
    }
    let order = announcements(recomputes: true)
    #expect(order == announcements(recomputes: false))
    #expect(order.sorted() == parameters.entries.map(\.name))
  }

  @Test func gradientsOfAPartWithoutEffectAreReportedToo() {
    let tape = tape()
    let p = parameters.entries
    var order: [String] = []
    tape.parameterGradientIsFinal = { order.append($0.name) }
    let x = tape.pointwise(tape.input(input()), matrix: p[2], bias: p[3])
    _ = part(x, x, tape, recomputes: true)
    tape.unwind(from: x, seed: TestData.normals(x.value.shape, seed: 2))
    #expect(order.sorted() == p.map(\.name))
  }

  @Test func activationsOfAPartAreFreedAndRecomputedOnce() {
    let tape = tape()
    var calls = 0
    weak var inside: FloatBuffer?
    func forward() -> Variable {
      let x = tape.input(input(), needsGradient: true)
      return tape.recomputing([x]) { inputs, tape in
        calls += 1
        let hidden = tape.silu(inputs[0])
        inside = hidden.value.buffer
        return tape.silu(hidden)
      }
    }
    let result = forward()
    #expect(calls == 1 && inside == nil)
    tape.unwind(from: result, seed: Tensor(repeating: 1, shape: result.value.shape))
    #expect(calls == 2 && inside == nil)
  }

  @Test func gradientsOfOnlyTheInputsAreComputedToo() {
    func gradient(recomputes: Bool) -> [Float]? {
      let tape = tape(wantsGradients: false)
      let x = tape.input(input(), needsGradient: true)
      let result = network(tape, x, recomputes: recomputes)
      tape.unwind(from: result, seed: TestData.normals(result.value.shape, seed: 2))
      return x.inputGradient?.elements
    }
    let kept = gradient(recomputes: false)
    #expect(kept != nil && gradient(recomputes: true) == kept)
  }

  @Test func nothingIsRecordedIfNoGradientIsNeeded() {
    for tape in [
      tape(wantsGradients: false), Tape(inferenceWith: parameters.values, workers: WorkerPool(threadCount: 1)),
    ] {
      let x = tape.input(input())
      let result = part(x, x, tape, recomputes: true)
      #expect(!result.needsGradient)
      #expect(result.value.elements == part(x, x, tape, recomputes: false).value.elements)
    }
  }
}
