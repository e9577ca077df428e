import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct ResamplingTests {
  @Test func backwardPassOfReferenceUpsamplingEqualsFiniteDifferences() {
    let (x, dy) = (TestData.normalDoubles(12), TestData.normalDoubles(48, seed: 2))
    let dx = TestData.finiteDifferences(
      of: { Reference.upsampleNearest(x: $0, images: 1, height: 2, width: 3, channels: 2) }, at: x, weights: dy)
    let gradient = Reference.upsampleNearestBackward(dy: dy, images: 1, height: 2, width: 3, channels: 2)
    #expect(TestData.largestDifference(gradient, dx) < TestData.finiteDifferenceTolerance)
  }
}

@Suite struct AxisFilterTests {
  private static let resamplings: [Resampling] = [
    .halving(.box), .halving(.binomial), .doubling(.box), .doubling(.binomial), .smoothing, .doublingWithRim,
    .withoutRim,
  ]

  @Test(arguments: resamplings, [false, true])
  func twoTransposedFiltersEqualTheFilter(_ resampling: Resampling, isPeriodic: Bool) {
    let axis = resampling.axis(6, isPeriodic: isPeriodic)
    #expect(axis.transposed.inputs == axis.outputs && axis.transposed.outputs == axis.inputs)
    for (a, b) in zip(axis.transposed.transposed.taps, axis.taps) where !a.weights.isEmpty { #expect(a == b) }
  }

  @Test(arguments: resamplings)
  func constantImagesKeepTheirValueInside(_ resampling: Resampling) {
    let sums = resampling.axis(8).taps.map { $0.weights.reduce(0, +) }
    #expect(sums.dropFirst(3).dropLast(3).allSatisfy { $0 == 1 })
  }

  @Test(arguments: resamplings, [4, 10])
  func constantPeriodicImagesKeepTheirValueEverywhere(_ resampling: Resampling, size: Int) {
    let sums = resampling.axis(size, isPeriodic: true).taps.map { ($0.weights + $0.wrapped).reduce(0, +) }
    #expect(sums.allSatisfy { $0 == 1 })
  }

  @Test func filtersContinueAtTheOtherEndOfAPeriodicAxis() {
    let halving = Resampling.halving(.binomial).axis(8, isPeriodic: true)
    #expect(halving.taps[0].first == 7 && halving.taps[0].weights == [0.125])
    #expect(halving.taps[0].wrapped == [0.375, 0.375, 0.125])
    #expect(halving.taps[3].first == 5 && halving.taps[3].weights == [0.125, 0.375, 0.375])
    #expect(halving.taps[3].wrapped == [0.125])
    // Each of the only two pixels is covered twice.
    let short = Resampling.halving(.binomial).axis(2, isPeriodic: true)
    #expect(short.taps.count == 1 && short.taps[0].first == 0 && short.taps[0].weights == [0.5, 0.5])
  }

  @Test func resampledSizesMatchTheConvolutions() {
    #expect(Resampling.halving(.binomial).size(height: 6, width: 4) == (3, 2))
    #expect(Resampling.doubling(.binomial).size(height: 3, width: 5) == (6, 10))
    #expect(Resampling.smoothing.size(height: 6, width: 4) == (7, 5))
    #expect(Resampling.doublingWithRim.size(height: 3, width: 5) == (8, 12))
    #expect(Resampling.withoutRim.size(height: 8, width: 12) == (6, 10))
  }

  /// Doubling is the adjoint of halving, except for a factor of 2 per axis, and vice versa.
  @Test(arguments: [Resampling.Filter.box, .binomial], [false, true])
  func doublingIsTheAdjointOfHalving(_ filter: Resampling.Filter, isPeriodic: Bool) {
    let halving = Resampling.halving(filter).axis(8, isPeriodic: isPeriodic)
    let doubling = Resampling.doubling(filter).axis(4, isPeriodic: isPeriodic)
    for (a, b) in zip(halving.transposed.taps, doubling.taps) {
      #expect(a.first == b.first)
      #expect(a.weights.map { 2 * $0 } == b.weights && a.wrapped.map { 2 * $0 } == b.wrapped)
    }
  }

  @Test(arguments: TestData.channelCounts, TestData.pools.indices)
  func filteredImagesAgreeWithTheDefinition(_ channels: Int, _ pool: Int) {
    let (images, height, width) = (2, 3, 5)
    let x = TestData.normals(images * height * width * channels)
    let expected = Reference.upfirdn(
      x: x.map(Double.init), images: images, height: height, width: width, channels: channels,
      kernel: [0.25, 0.75, 0.75, 0.25], up: 2, before: 2, after: 1)
    let addend = TestData.normals(expected.count, seed: 2)
    let axes = (Resampling.doubling(.binomial).axis(height), Resampling.doubling(.binomial).axis(width))
    let input = Tensor(x, shape: [images, height, width, channels])
    let shape = [images, axes.0.outputs, axes.1.outputs, channels]
    let plain = TestData.written(shape) {
      Resampling.apply(
        vertical: axes.0, horizontal: axes.1, to: input, into: $0, workers: TestData.pools[pool])
    }
    let added = TestData.filled(addend, shape) {
      Resampling.apply(
        vertical: axes.0, horizontal: axes.1, to: input, into: $0, addend: $0, workers: TestData.pools[pool])
    }
    // Sums of four products of numbers of size 1, twice.
    let tolerance = 8 * 0x1p-24 * 4
    #expect(TestData.largestDifference(plain.map(Double.init), expected) < tolerance)
    #expect(
      TestData.largestDifference(added.map(Double.init), zip(expected, addend).map { $0 + Double($1) }) < tolerance)
  }
}
