import Kernels
import Testing

@Suite struct ResamplingTests {
  @Test func upsamplingTwinsBackwardEqualsFiniteDifferences() {
    let (x, dy) = (TestData.normalDoubles(12), TestData.normalDoubles(48, seed: 2))
    let dx = TestData.finiteDifferences(
      of: { Reference.upsampleNearest(x: $0, images: 1, height: 2, width: 3, channels: 2) }, at: x, weights: dy)
    let gradient = Reference.upsampleNearestBackward(dy: dy, images: 1, height: 2, width: 3, channels: 2)
    #expect(TestData.largestDifference(gradient, dx) < TestData.finiteDifferenceTolerance)
  }
}
