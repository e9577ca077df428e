import Benchmarking
import Configuration
import Jobs
import Testing

@Suite struct ArithmeticCountTests {
  /// What PyTorch's `FlopCounterMode` counts in diffusers' `UNet2DModel` of the same shape, one image.
  static let countsOfPyTorch = [("cifar10", 3, 12_443_713_536), ("fashion-mnist", 1, 3_170_172_928)]

  @Test(arguments: countsOfPyTorch)
  func forwardPassHasTheArithmeticThatPyTorchCounts(preset: String, channels: Int, count: Int) throws {
    let network = try Presets.named(preset).configuration.network(height: 32, width: 32, channels: channels)
    #expect(ArithmeticCount.forwardPass(of: network) == count)
  }
}
