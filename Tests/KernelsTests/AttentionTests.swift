import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct AttentionTests {
  /// Averages of values of order one, with a few rounding errors in each weight; gradients are sums over some hundred
  /// tokens.
  static let tolerance = 1e-5

  /// Heads smaller than a vector, as wide as a strip of a product and wider; tokens of one block and of several.
  static let geometries: [Attention.Geometry] = [
    .init([2, 1, 6], heads: 3),
    .init([3, 7, 5]),
    .init([2, 35, 20], heads: 4),
    .init([1, 64, 128], heads: 4),
    .init([2, 49, 150], heads: 3),
    .init([1, 300, 16], heads: 16),
    .init([1, 527, 33], heads: 3),
  ]

  private struct Gradients {
    let (q, k, v): ([Float], [Float], [Float])
    var all: [[Float]] { [q, k, v] }
  }

  /// Query, key, value and dy.
  private func operands(_ geometry: Attention.Geometry) -> [[Float]] {
    (1...4).map { TestData.normals(geometry.images * geometry.tokens * geometry.channels, seed: $0) }
  }

  private func tensors(_ arrays: [[Float]], _ geometry: Attention.Geometry) -> [Tensor] {
    arrays.map { Tensor($0, shape: [geometry.images, geometry.tokens, geometry.channels]) }
  }

  private func forward(_ operands: [[Float]], _ geometry: Attention.Geometry, _ pool: WorkerPool) -> [Float] {
    let operands = tensors(operands, geometry)
    return TestData.written(operands[0].shape) {
      Attention.forward(
        query: operands[0], key: operands[1], value: operands[2], into: $0, heads: geometry.heads, workers: pool)
    }
  }

  private func backward(_ operands: [[Float]], _ geometry: Attention.Geometry, _ pool: WorkerPool) -> Gradients {
    let operands = tensors(operands, geometry)
    let results = (0..<3).map { _ in Tensor(repeating: .nan, shape: operands[0].shape) }
    Attention.backward(
      query: operands[0], key: operands[1], value: operands[2], dy: operands[3], dQuery: results[0], dKey: results[1],
      dValue: results[2], heads: geometry.heads, workers: pool)
    return Gradients(q: results[0].elements, k: results[1].elements, v: results[2].elements)
  }

  @Test(arguments: geometries) func headsEqualTheReferenceForAnyThreadCount(_ geometry: Attention.Geometry) {
    let operands = operands(geometry)
    let size = geometry.tokens * geometry.channels
    var (y, dq, dk, dv): ([Float], [Float], [Float], [Float]) = ([], [], [], [])
    for image in 0..<geometry.images {
      let parts = operands.map { Array($0[image * size..<(image + 1) * size]) }
      y += Reference.attention(
        q: parts[0], k: parts[1], v: parts[2], tokens: geometry.tokens, channels: geometry.channels,
        heads: geometry.heads)
      let gradients = Reference.attentionBackward(
        q: parts[0], k: parts[1], v: parts[2], dy: parts[3], tokens: geometry.tokens, channels: geometry.channels,
        heads: geometry.heads)
      dq += gradients.dq
      dk += gradients.dk
      dv += gradients.dv
    }
    let results = TestData.pools.map { (forward(operands, geometry, $0), backward(operands, geometry, $0)) }
    #expect(TestData.largestDifference(results[0].0, y) < Self.tolerance)
    #expect(TestData.largestDifference(results[0].1.q, dq) < Self.tolerance)
    #expect(TestData.largestDifference(results[0].1.k, dk) < Self.tolerance)
    #expect(TestData.largestDifference(results[0].1.v, dv) < Self.tolerance)
    for other in results.dropFirst() {
      #expect(TestData.sameBits(other.0, results[0].0))
      #expect(zip(other.1.all, results[0].1.all).allSatisfy { TestData.sameBits($0, $1) })
    }
  }

  /// Head h has the channels starting at h·d, and its own softmax: bit-identical to attention with only these channels.
  @Test(arguments: geometries) func aHeadDependsOnlyOnItsOwnChannels(_ geometry: Attention.Geometry) {
    let operands = operands(geometry)
    let width = geometry.channels / geometry.heads
    let whole = [forward(operands, geometry, TestData.pools[1])] + backward(operands, geometry, TestData.pools[1]).all
    let alone = Attention.Geometry([geometry.images, geometry.tokens, width])
    for head in 0..<geometry.heads {
      func part(_ values: [Float]) -> [Float] {
        values.indices.filter { $0 % geometry.channels / width == head }.map { values[$0] }
      }
      let parts = operands.map(part)
      let single = [forward(parts, alone, TestData.pools[0])] + backward(parts, alone, TestData.pools[0]).all
      #expect(zip(whole.map(part), single).allSatisfy { TestData.sameBits($0, $1) }, "head \(head)")
    }
  }

  @Test(arguments: [1, 2, 3]) func backwardPassOfTheReferenceEqualsFiniteDifferences(heads: Int) {
    let (tokens, channels) = (5, 6)
    let values = (1...4).map { TestData.normalDoubles(tokens * channels, seed: $0) }
    func forward(_ q: [Double], _ k: [Double], _ v: [Double]) -> [Double] {
      Reference.attention(q: q, k: k, v: v, tokens: tokens, channels: channels, heads: heads)
    }
    let (q, k, v, dy) = (values[0], values[1], values[2], values[3])
    let gradients = Reference.attentionBackward(
      q: q, k: k, v: v, dy: dy, tokens: tokens, channels: channels, heads: heads)
    let dq = TestData.finiteDifferences(of: { forward($0, k, v) }, at: q, weights: dy)
    let dk = TestData.finiteDifferences(of: { forward(q, $0, v) }, at: k, weights: dy)
    let dv = TestData.finiteDifferences(of: { forward(q, k, $0) }, at: v, weights: dy)
    #expect(TestData.largestDifference(gradients.dq, dq) < TestData.finiteDifferenceTolerance)
    #expect(TestData.largestDifference(gradients.dk, dk) < TestData.finiteDifferenceTolerance)
    #expect(TestData.largestDifference(gradients.dv, dv) < TestData.finiteDifferenceTolerance)
  }
}
