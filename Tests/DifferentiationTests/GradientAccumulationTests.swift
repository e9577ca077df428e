import Differentiation
import Glibc
import Kernels
import ReferenceKernels
import Tensors
import Testing

/// Gradients of values that several operations use.
@Suite struct GradientAccumulationTests {
  /// Five operations deep in single precision, one of them Winograd's.
  static let tolerance = 5e-5

  static let shape = [2, 3, 3, 4]
  static let parameterShapes = [[3, 3, 4, 4], [4], [8, 4], [4], [4, 4], [4]]

  /// A network in which `a` has three consumers (one operation uses it twice), `b` three and `d` four.
  private func network(_ tape: Tape, _ x: Variable, _ p: [ParameterEntry]) -> Variable {
    let a = tape.silu(x)
    let b = tape.convolution3x3(a, kernel: p[0], bias: p[1], residual: a)
    let d = tape.pointwise([a, b], matrix: p[2], bias: p[3], residual: b)
    let e = tape.attention(query: d, key: d, value: d)
    let f = tape.silu(tape.pointwise(d, matrix: p[4], bias: p[5], residual: b))
    return tape.pointwise(e, matrix: p[4], bias: p[5], residual: f)
  }

  private func plainNetwork(_ x: [Double], _ p: [[Double]]) -> [Double] {
    func silu(_ x: [Double]) -> [Double] { x.map { $0 / (1 + exp(-$0)) } }
    func sum(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map(+) }
    func linear(_ x: [Double], _ matrix: [Double], _ bias: [Double]) -> [Double] {
      let depth = matrix.count / 4
      let product = Reference.matrixProduct(x, matrix, rows: x.count / depth, inner: depth, columns: 4)
      return product.indices.map { product[$0] + bias[$0 % 4] }
    }
    let a = silu(x)
    let geometry = PatchGeometry(images: 2, height: 3, width: 3, channels: 4, kernelSize: 3, pad: 1)
    let b = sum(Reference.convolution(x: a, kernel: p[0], bias: p[1], geometry: geometry, outputChannels: 4), a)
    let c = TestData.joined(a, width: 4, b, width: 4)
    let d = sum(linear(c, p[2], p[3]), b)
    let e = [0, 36].flatMap { (start: Int) -> [Double] in
      let part = Array(d[start..<start + 36])
      return Reference.attention(q: part, k: part, v: part, tokens: 9, channels: 4)
    }
    return sum(linear(e, p[4], p[5]), silu(sum(linear(d, p[4], p[5]), b)))
  }

  @Test func allContributionsAreAdded() {
    let parameters = TestParameters(Self.parameterShapes)
    let tape = Tape(
      recordingWith: parameters.values, gradients: parameters.gradients, workers: WorkerPool(threadCount: 2))
    let x = tape.input(TestData.normals(Self.shape, seed: 1), needsGradient: true)
    let result = network(tape, x, parameters.entries)
    let expected = plainNetwork(TestData.doubles(x.value), parameters.doubles)
    let valueError = TestData.relativeError(result.value.elements, expected)
    #expect(valueError < Self.tolerance)
    let seed = TestData.normals(result.value.shape, seed: 2)
    let weights = TestData.doubles(seed)
    tape.unwind(from: result, seed: seed)
    #expect(TestData.doubles(seed) == weights, "the seed belongs to the caller")

    func loss(_ tensors: [[Double]]) -> Double {
      zip(plainNetwork(tensors[0], Array(tensors.dropFirst())), weights).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let tensors = [TestData.doubles(x.value)] + parameters.doubles
    let actual = [x.inputGradient?.elements ?? []] + parameters.gradientElements
    // Truncation (the step squared) and rounding (2⁻⁵³ / step) leave about 1e-9 of the gradient.
    let step = 1e-5
    for index in tensors.indices {
      let differences = tensors[index].indices.map { element in
        var (above, below) = (tensors, tensors)
        above[index][element] += step
        below[index][element] -= step
        return (loss(above) - loss(below)) / (2 * step)
      }
      let error = TestData.relativeError(actual[index], differences)
      #expect(error < Self.tolerance, "tensor \(index)")
    }
  }

  /// Residuals pass the gradient on without a copy: its storage then belongs to several variables and to the caller.
  @Test(arguments: [1, 2, 3])
  func sharedStorageIsNotAddedToInPlace(depth: Int) {
    let parameters = TestParameters([[4, 4], [4]])
    let entries = parameters.entries
    // The identity, so that each of the operations below is the sum of its arguments.
    parameters.values.clear()
    for channel in 0..<4 { parameters.values[channel * 5] = 1 }
    let tape = Tape(recordingWith: parameters.values, gradients: nil, workers: WorkerPool(threadCount: 1))
    func sum(_ x: Variable, _ residual: Variable) -> Variable {
      tape.pointwise(x, matrix: entries[0], bias: entries[1], residual: residual)
    }
    let first = tape.input(TestData.normals(Self.shape, seed: 1), needsGradient: true)
    let second = tape.input(TestData.normals(Self.shape, seed: 2), needsGradient: true)
    // The number of times that each input is contained in the value. The last operation's residual shares the seed's
    // storage, and others then add to it, as residuals and as arguments.
    var (value, older) = (sum(second, first), first)
    var (count, olderCount) = (SIMD2<Float>(1, 1), SIMD2<Float>(1, 0))
    for level in 0..<depth {
      var users: [Variable] = []
      // The operation recorded last adds first.
      for isResidual in level.isMultiple(of: 2) ? [false, true] : [true, false] {
        users.append(isResidual ? sum(second, value) : sum(value, older))
      }
      let joined = sum(users[0], users[1])
      let next = sum(joined, value)
      (olderCount, count) = (count, SIMD2(0, 1) + count + count + olderCount + count)
      (older, value) = (value, next)
    }
    let seed = TestData.normals(Self.shape, seed: 3)
    for index in 0..<seed.count { seed[index] = seed[index].rounded() + 3 }
    let before = seed.elements
    tape.unwind(from: value, seed: seed)
    #expect(seed.elements == before)
    // Whole numbers are added without rounding.
    #expect(first.inputGradient?.elements == before.map { $0 * count[0] })
    #expect(second.inputGradient?.elements == before.map { $0 * count[1] })
  }

  @Test func anInputUsedThreeTimesGetsThreeTimesTheGradient() {
    let parameters = TestParameters([[8, 4], [4]])
    parameters.values.clear()
    // Two identities, one below the other.
    for row in 0..<8 { parameters.values[row * 4 + row % 4] = 1 }
    let tape = Tape(recordingWith: parameters.values, gradients: nil, workers: WorkerPool(threadCount: 1))
    let x = tape.input(TestData.normals(Self.shape, seed: 1), needsGradient: true)
    let result = tape.pointwise(
      [x, x], matrix: parameters.entries[0], bias: parameters.entries[1], residual: x)
    tape.unwind(from: result, seed: Tensor(repeating: 1, shape: result.value.shape))
    #expect(x.inputGradient?.elements == [Float](repeating: 3, count: x.value.count))
  }
}
