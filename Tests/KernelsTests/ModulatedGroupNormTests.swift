import Kernels
import ReferenceKernels
import Tensors
import Testing

/// Group normalisation with a scale and a shift for each image.
@Suite struct ModulatedGroupNormTests {
  private struct Operands {
    let x, dy, scale, offset, modulation: [Float]

    init(_ geometry: GroupNormGeometry) {
      let count = geometry.images * geometry.pixels * geometry.channels
      x = TestData.normals(count).map { 2 * $0 + 0.7 }
      dy = TestData.normals(count, seed: 2)
      scale = TestData.normals(geometry.channels, seed: 3)
      offset = TestData.normals(geometry.channels, seed: 4)
      modulation = TestData.normals(2 * geometry.images * geometry.channels, seed: 5)
    }
  }

  private func forward(
    _ operands: Operands, modulation: [Float]?, _ test: GroupNormTests.Case, _ pool: WorkerPool
  ) -> GroupNormRun.Forward {
    GroupNormRun.forward(
      x: operands.x, scale: operands.scale, offset: operands.offset, modulation: modulation, test.geometry,
      test.activation, test.dropout, pool)
  }

  private func backward(
    _ operands: Operands, modulation: [Float]?, _ forward: GroupNormRun.Forward, _ test: GroupNormTests.Case,
    _ pool: WorkerPool
  ) -> GroupNormRun.Backward {
    GroupNormRun.backward(
      x: operands.x, dy: operands.dy, scale: operands.scale, offset: operands.offset, modulation: modulation,
      forward: forward, start: 0.5, test.geometry, test.activation, test.dropout, pool)
  }

  @Test(arguments: GroupNormTests.cases) func bothPassesEqualTheReferenceForAnyThreadCount(_ test: GroupNormTests.Case)
  {
    let geometry = test.geometry
    let operands = Operands(geometry)
    let multipliers = test.dropout.map {
      Reference.dropoutMultipliers($0, images: geometry.images, count: geometry.pixels * geometry.channels)
    }
    let exact = Reference.groupNorm(
      x: operands.x, scale: operands.scale, offset: operands.offset, modulation: operands.modulation,
      geometry: geometry, activation: test.activation, multipliers: multipliers)
    let exactGradients = Reference.groupNormBackward(
      x: operands.x, dy: operands.dy, scale: operands.scale, offset: operands.offset, modulation: operands.modulation,
      geometry: geometry, activation: test.activation, multipliers: multipliers)
    let results = TestData.pools.map { pool in
      let y = forward(operands, modulation: operands.modulation, test, pool)
      return (y, backward(operands, modulation: operands.modulation, y, test, pool))
    }
    let (y, gradients) = results[0]
    // As without a modulation, times 1 + s, which is up to 5, and once more in the gradient of the offset.
    let magnification = Double(max(1, y.inverseStandardDeviations.max() ?? 1))
    let tolerance = 5 * GroupNormTests.forwardTolerance * magnification
    let sumTolerance = 5 * 300 * 512.0.squareRoot() * 0x1p-24 * magnification
    #expect(TestData.largestDifference(y.y, exact.y) < tolerance)
    #expect(TestData.largestDifference(gradients.dx, exactGradients.dx) < 5 * tolerance * magnification)
    #expect(TestData.largestDifference(gradients.dScale, exactGradients.dScale.map { $0 + 0.5 }) < sumTolerance)
    #expect(TestData.largestDifference(gradients.dOffset, exactGradients.dOffset.map { $0 + 0.5 }) < sumTolerance)
    #expect(TestData.largestDifference(gradients.dModulation, exactGradients.dModulation) < sumTolerance)
    for other in results.dropFirst() {
      #expect(TestData.sameBits(other.0.y, y.y))
      #expect(zip(other.1.all, gradients.all).allSatisfy { TestData.sameBits($0, $1) })
    }
  }

  @Test(arguments: GroupNormTests.cases) func zeroModulationDoesNotChangeTheBits(_ test: GroupNormTests.Case) {
    let operands = Operands(test.geometry)
    let zeros = operands.modulation.map { _ in Float(0) }
    let (plain, modulated) = (
      forward(operands, modulation: nil, test, TestData.pools[1]),
      forward(operands, modulation: zeros, test, TestData.pools[1])
    )
    #expect(TestData.sameBits(plain.y, modulated.y))
    let (expected, gradients) = (
      backward(operands, modulation: nil, plain, test, TestData.pools[1]),
      backward(operands, modulation: zeros, modulated, test, TestData.pools[1])
    )
    #expect(zip(expected.all.prefix(3), gradients.all).allSatisfy { TestData.sameBits($0, $1) })
  }

  @Test(arguments: [20, 128]) func aSingleImageGivesTheSameBitsAsInABatch(_ channels: Int) {
    let geometry = GroupNormGeometry(images: 3, pixels: 289, channels: channels, groups: 4, epsilon: 1e-5)
    let operands = Operands(geometry)
    let whole = GroupNormTests.Case(geometry: geometry, activation: .silu)
    var single = whole
    single.geometry.images = 1
    let y = forward(operands, modulation: operands.modulation, whole, TestData.pools[1])
    let gradients = backward(operands, modulation: operands.modulation, y, whole, TestData.pools[1])
    for image in 0..<geometry.images {
      func part(_ values: [Float]) -> [Float] {
        let count = values.count / geometry.images
        return Array(values[image * count..<(image + 1) * count])
      }
      for pool in TestData.pools {
        let alone = GroupNormRun.forward(
          x: part(operands.x), scale: operands.scale, offset: operands.offset, modulation: part(operands.modulation),
          single.geometry, .silu, nil, pool)
        #expect(TestData.sameBits(alone.y, part(y.y)))
        let its = GroupNormRun.backward(
          x: part(operands.x), dy: part(operands.dy), scale: operands.scale, offset: operands.offset,
          modulation: part(operands.modulation), forward: alone, single.geometry, .silu, nil, pool)
        #expect(TestData.sameBits(its.dx, part(gradients.dx)))
        #expect(TestData.sameBits(its.dModulation, part(gradients.dModulation)))
      }
    }
  }

  @Test(arguments: [Activation.identity, .silu], [false, true])
  func backwardPassOfTheReferenceEqualsFiniteDifferences(_ activation: Activation, dropped: Bool) {
    let geometry = GroupNormGeometry(images: 2, pixels: 5, channels: 6, groups: 2, epsilon: 1e-3)
    let values = [60, 60, 6, 6, 24].enumerated().map { TestData.normalDoubles($1, seed: UInt64($0 + 1)) }
    let (x, dy, scale, offset, modulation) = (values[0], values[1], values[2], values[3], values[4])
    let mask =
      dropped
      ? Reference.dropoutMultipliers(GroupNormTests.dropout, images: 2, count: 30).map { Double($0) } : nil
    func forward(_ x: [Double], _ scale: [Double], _ offset: [Double], _ modulation: [Double]) -> [Double] {
      Reference.groupNorm(
        x: x, scale: scale, offset: offset, modulation: modulation, geometry: geometry, activation: activation,
        multipliers: mask
      ).y
    }
    let gradients = Reference.groupNormBackward(
      x: x, dy: dy, scale: scale, offset: offset, modulation: modulation, geometry: geometry, activation: activation,
      multipliers: mask)
    let differences = [
      TestData.finiteDifferences(of: { forward($0, scale, offset, modulation) }, at: x, weights: dy),
      TestData.finiteDifferences(of: { forward(x, $0, offset, modulation) }, at: scale, weights: dy),
      TestData.finiteDifferences(of: { forward(x, scale, $0, modulation) }, at: offset, weights: dy),
      TestData.finiteDifferences(of: { forward(x, scale, offset, $0) }, at: modulation, weights: dy),
    ]
    let exact = [gradients.dx, gradients.dScale, gradients.dOffset, gradients.dModulation]
    for (found, expected) in zip(exact, differences) {
      #expect(TestData.largestDifference(found, expected) < TestData.finiteDifferenceTolerance)
    }
  }
}
