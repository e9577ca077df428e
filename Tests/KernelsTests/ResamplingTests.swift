import Kernels
import Tensors
import Testing

@Suite struct ResamplingTests {
  @Test(arguments: TestData.channelCounts, [(1, 1), (3, 5)])
  func upsamplingEqualsTheTwin(_ channels: Int, _ size: (Int, Int)) {
    let (height, width) = size
    let count = 2 * height * width * channels
    let (x, dy) = (TestData.normals(count), TestData.normals(4 * count, seed: 2))
    let expected = Reference.upsampleNearest(x: x, images: 2, height: height, width: width, channels: channels)
    let expectedGradient = Reference.upsampleNearestBackward(
      dy: dy, images: 2, height: height, width: width, channels: channels)
    // Three additions of numbers up to about 10.
    let tolerance = 10 * 3 * 0x1p-24
    for pool in TestData.pools {
      let y = TestData.written(4 * count) {
        Resampling.upsampleNearest(
          x: x, y: $0, images: 2, height: height, width: width, channels: channels, workers: pool)
      }
      let dx = TestData.written(count) {
        Resampling.upsampleNearestBackward(
          dy: dy, dx: $0, images: 2, height: height, width: width, channels: channels, workers: pool)
      }
      #expect(TestData.sameBits(y, expected))
      #expect(TestData.largestDifference(dx, expectedGradient) < tolerance)
    }
  }

  @Test func upsamplingTwinsBackwardEqualsFiniteDifferences() {
    let (x, dy) = (TestData.normalDoubles(12), TestData.normalDoubles(48, seed: 2))
    let dx = TestData.finiteDifferences(
      of: { Reference.upsampleNearest(x: $0, images: 1, height: 2, width: 3, channels: 2) }, at: x, weights: dy)
    let gradient = Reference.upsampleNearestBackward(dy: dy, images: 1, height: 2, width: 3, channels: 2)
    #expect(TestData.largestDifference(gradient, dx) < TestData.finiteDifferenceTolerance)
  }
}
