import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct GroupNormTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var geometry: GroupNormGeometry
    var activation: Activation
    var dropout: Dropout?

    var testDescription: String {
      "\(geometry.images)x\(geometry.pixels)x\(geometry.channels), \(geometry.groups) groups, \(activation), "
        + (dropout == nil ? "no dropout" : "dropout")
    }
  }

  static let dropout = Dropout(probability: 0.1, seed: 7, step: 3, firstSample: 20, layer: 4)

  static let cases: [Case] = TestData.channelCounts.flatMap { channels in
    [1, 35, 1024].flatMap { pixels in
      let groups = channels % 32 == 0 ? 32 : channels % 4 == 0 ? 4 : 1
      let geometry = GroupNormGeometry(images: 3, pixels: pixels, channels: channels, groups: groups, epsilon: 1e-5)
      return [
        Case(geometry: geometry, activation: .identity), Case(geometry: geometry, activation: .silu),
        Case(geometry: geometry, activation: .silu, dropout: dropout),
      ]
    }
  }

  /// Outputs are up to about 10, each after a handful of roundings.
  static let forwardTolerance = 10 * 10 * 0x1p-24
  /// The same for a single-precision inverse standard deviation, which may be 1/√epsilon = 316.
  static let relativeTolerance = 1e-5

  private func input(_ geometry: GroupNormGeometry) -> (x: [Float], dy: [Float], scale: [Float], offset: [Float]) {
    let count = geometry.images * geometry.pixels * geometry.channels
    return (
      TestData.normals(count).map { 2 * $0 + 0.7 }, TestData.normals(count, seed: 2),
      TestData.normals(geometry.channels, seed: 3), TestData.normals(geometry.channels, seed: 4)
    )
  }

  private func multipliers(_ dropout: Dropout?, _ geometry: GroupNormGeometry) -> [Float]? {
    dropout.map {
      Reference.dropoutMultipliers($0, images: geometry.images, count: geometry.pixels * geometry.channels)
    }
  }

  @Test(arguments: cases) func forwardPassEqualsTheReferenceForAnyThreadCount(_ test: Case) {
    let (x, _, scale, offset) = input(test.geometry)
    let expected = Reference.groupNorm(
      x: x, scale: scale, offset: offset, geometry: test.geometry, activation: test.activation,
      multipliers: multipliers(test.dropout, test.geometry))
    let results = TestData.pools.map {
      GroupNormRun.forward(x: x, scale: scale, offset: offset, test.geometry, test.activation, test.dropout, $0)
    }
    #expect(TestData.largestDifference(results[0].y, expected.y) < Self.forwardTolerance * deviationScale(expected))
    #expect(TestData.largestDifference(results[0].means, expected.means) < Self.forwardTolerance)
    for (value, exact) in zip(results[0].inverseStandardDeviations, expected.inverseStandardDeviations) {
      #expect(abs(value - exact) < Float(Self.relativeTolerance) * exact)
    }
    for other in results.dropFirst() {
      #expect(TestData.sameBits(other.y, results[0].y) && TestData.sameBits(other.means, results[0].means))
    }
  }

  /// The amplification of a rounding error of the mean if a group's numbers are nearly equal.
  private func deviationScale(_ expected: (y: [Float], means: [Float], inverseStandardDeviations: [Float])) -> Double {
    max(1, Double(expected.inverseStandardDeviations.max() ?? 1))
  }

  @Test(arguments: cases) func backwardPassEqualsTheReferenceForAnyThreadCount(_ test: Case) {
    let geometry = test.geometry
    let (x, dy, scale, offset) = input(geometry)
    let expected = Reference.groupNormBackward(
      x: x, dy: dy, scale: scale, offset: offset, geometry: geometry, activation: test.activation,
      multipliers: multipliers(test.dropout, geometry))
    let forward = GroupNormRun.forward(
      x: x, scale: scale, offset: offset, geometry, test.activation, nil, TestData.pools[0])
    let results = TestData.pools.map { pool in
      GroupNormRun.backward(
        x: x, dy: dy, scale: scale, offset: offset, forward: forward, start: 0.5, geometry, test.activation,
        test.dropout, pool)
    }
    let magnification = Double(max(1, forward.inverseStandardDeviations.max() ?? 1))
    // Partial sums of up to 512 numbers reach about 300; their rounding errors add up like a random walk.
    let sumTolerance = 300 * 512.0.squareRoot() * 0x1p-24
    #expect(
      TestData.largestDifference(results[0].dx, expected.dx) < Self.forwardTolerance * magnification * magnification)
    #expect(
      TestData.largestDifference(results[0].dScale, expected.dScale.map { $0 + 0.5 }) < sumTolerance * magnification)
    #expect(TestData.largestDifference(results[0].dOffset, expected.dOffset.map { $0 + 0.5 }) < sumTolerance)
    for other in results.dropFirst() {
      #expect(TestData.sameBits(other.dx, results[0].dx))
      #expect(TestData.sameBits(other.dScale, results[0].dScale))
      #expect(TestData.sameBits(other.dOffset, results[0].dOffset))
    }
  }

  @Test(arguments: [Activation.identity, .silu], [nil, dropout])
  func gradientMayOverwriteItsSourceOrBeAccumulated(_ activation: Activation, _ dropout: Dropout?) {
    let geometry = GroupNormGeometry(images: 2, pixels: 50, channels: 20, groups: 4, epsilon: 1e-5)
    let (x, dy, scale, offset) = input(geometry)
    let pool = TestData.pools[1]
    let forward = GroupNormRun.forward(x: x, scale: scale, offset: offset, geometry, activation, dropout, pool)
    let results = [false, true].map { inPlace in
      GroupNormRun.backward(
        x: x, dy: dy, scale: scale, offset: offset, forward: forward, inPlace: inPlace, geometry, activation, dropout,
        pool)
    }
    #expect(TestData.sameBits(results[0].dx, results[1].dx))
    let addend = TestData.normals(x.count, seed: 5)
    let added = GroupNormRun.backward(
      x: x, dy: dy, scale: scale, offset: offset, forward: forward, addend: addend, geometry, activation, dropout, pool)
    #expect(TestData.sameBits(added.dx, zip(results[0].dx, addend).map(+)))
  }

  @Test(arguments: [Activation.identity, .silu], [false, true])
  func backwardPassOfTheReferenceEqualsFiniteDifferences(_ activation: Activation, dropped: Bool) {
    let geometry = GroupNormGeometry(images: 2, pixels: 5, channels: 6, groups: 2, epsilon: 1e-3)
    let x = TestData.normalDoubles(60)
    let (dy, scale, offset) = (
      TestData.normalDoubles(60, seed: 2), TestData.normalDoubles(6, seed: 3), TestData.normalDoubles(6, seed: 4)
    )
    let mask = dropped ? Reference.dropoutMultipliers(Self.dropout, images: 2, count: 30).map { Double($0) } : nil
    func forward(_ x: [Double], _ scale: [Double], _ offset: [Double]) -> [Double] {
      Reference.groupNorm(
        x: x, scale: scale, offset: offset, geometry: geometry, activation: activation, multipliers: mask
      ).y
    }
    let gradients = Reference.groupNormBackward(
      x: x, dy: dy, scale: scale, offset: offset, geometry: geometry, activation: activation, multipliers: mask)
    let dx = TestData.finiteDifferences(of: { forward($0, scale, offset) }, at: x, weights: dy)
    let dScale = TestData.finiteDifferences(of: { forward(x, $0, offset) }, at: scale, weights: dy)
    let dOffset = TestData.finiteDifferences(of: { forward(x, scale, $0) }, at: offset, weights: dy)
    #expect(TestData.largestDifference(gradients.dx, dx) < TestData.finiteDifferenceTolerance)
    #expect(TestData.largestDifference(gradients.dScale, dScale) < TestData.finiteDifferenceTolerance)
    #expect(TestData.largestDifference(gradients.dOffset, dOffset) < TestData.finiteDifferenceTolerance)
  }

  @Test(arguments: [20, 128]) func aSingleImageGivesTheSameBitsAsInABatch(_ channels: Int) {
    let geometry = GroupNormGeometry(images: 5, pixels: 289, channels: channels, groups: 4, epsilon: 1e-5)
    let (x, _, scale, offset) = input(geometry)
    let batch = GroupNormRun.forward(x: x, scale: scale, offset: offset, geometry, .silu, nil, TestData.pools[1])
    var alone = geometry
    alone.images = 1
    let count = geometry.pixels * channels
    for image in 0..<geometry.images {
      for pool in TestData.pools {
        let single = GroupNormRun.forward(
          x: Array(x[image * count..<(image + 1) * count]), scale: scale, offset: offset, alone, .silu, nil, pool)
        #expect(TestData.sameBits(single.y, Array(batch.y[image * count..<(image + 1) * count])))
      }
    }
  }

  @Test func statisticsSurviveALargeMean() {
    let geometry = GroupNormGeometry(images: 1, pixels: 2000, channels: 32, groups: 2, epsilon: 1e-5)
    let x = TestData.normals(64000).map { 1000 + $0 }
    let (scale, offset) = ([Float](repeating: 1, count: 32), [Float](repeating: 0, count: 32))
    let expected = Reference.groupNorm(x: x, scale: scale, offset: offset, geometry: geometry, activation: .identity)
    let result = GroupNormRun.forward(x: x, scale: scale, offset: offset, geometry, .identity, nil, TestData.pools[1])
    for (value, exact) in zip(result.inverseStandardDeviations, expected.inverseStandardDeviations) {
      #expect(abs(value - exact) < Float(Self.relativeTolerance) * exact)
    }
    // The mean itself is rounded to a float of its size.
    #expect(TestData.largestDifference(result.y, expected.y) < 1000 * 0x1p-23)
  }

  @Test func nonFiniteInputIsNotHidden() {
    let geometry = GroupNormGeometry(images: 2, pixels: 16, channels: 20, groups: 4, epsilon: 1e-5)
    var (x, _, scale, offset) = input(geometry)
    x[3] = .nan
    let result = GroupNormRun.forward(x: x, scale: scale, offset: offset, geometry, .silu, nil, TestData.pools[0])
    #expect(result.y[0].isNaN)
    #expect(result.y[(16 * 20)...].allSatisfy { $0.isFinite })
  }
}
