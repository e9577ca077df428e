import Benchmarking
import Configuration
import Differentiation
import Network
import Tensors
import Testing

@Suite struct ArithmeticCountTests {
  /// The result of PyTorch's `FlopCounterMode` for diffusers' `UNet2DModel` of the same shape, one image.
  static let countsOfPyTorch = [("cifar10", 3, 12_443_713_536), ("fashion-mnist", 1, 3_170_172_928)]

  @Test(arguments: countsOfPyTorch)
  func forwardPassHasTheArithmeticCountedByPyTorch(preset: String, channels: Int, count: Int) throws {
    let network = try Presets.named(preset).configuration.network(height: 32, width: 32, channels: channels)
    #expect(ArithmeticCount.forwardPass(of: network) == count)
  }

  /// Architectures in addition to those of the presets.
  static let settings: [String] = [
    "model.heads=4 model.time_conditioning=scale-shift", "model.fir=true",
    "model.fir=true model.progressive_output=residual",
    "model.progressive_output=output-skip",
    "model.progressive_input=residual", "model.block=adm", "model.block=biggan model.progressive_input=input-skip",
    "model.block=biggan model.fir=true model.progressive_input=input-skip model.progressive_combine=cat",
  ]

  @Test(arguments: Presets.all.map(\.name), [""] + settings)
  func everyArchitecturePerformsTheCountedArithmetic(preset: String, settings: String) throws {
    let sources = ConfigurationSources(
      preset: preset,
      settings: [
        "model.channels=16", "model.groups=4", "model.blocks=1", "model.attention_init_scale=1",
        "model.head_channels=none", "model.classes=none",
      ] + settings.split(separator: " ").map(String.init))
    let configuration = try sources.resolve()
    let network = try configuration.network(height: 32, width: 32, channels: 3)
    let (profiler, workers) = (Profiler(), WorkerPool(threadCount: 1))
    let parameters = Arena(network.layout)
    network.initialise(parameters, seed: 1, workers: workers)
    let tape = Tape(inferenceWith: parameters, workers: workers, profiler: profiler)
    _ = network(tape.input(Tensor(shape: [1, 32, 32, 3])), timesteps: [1], on: tape)
    let made = profiler.totals.values.reduce(0) { $0 + $1.work.directArithmetic }
    #expect(ArithmeticCount.forwardPass(of: network) == made)
  }
}
