import Differentiation
import Diffusion
import Tensors

/// A trained U-Net as denoisers see it.
public struct TrainedUNet: DiffusionNetwork {
  private let network: UNet
  private let parameters: Arena
  private let workers: WorkerPool
  private let profiler: Profiler?

  /// - Parameter parameters: must not change while the network is in use.
  public init(network: UNet, parameters: Arena, workers: WorkerPool, profiler: Profiler? = nil) {
    self.network = network
    self.parameters = parameters
    self.workers = workers
    self.profiler = profiler
  }

  public func output(_ x: Tensor, times: [Float], classes: [Int?]?) -> Tensor {
    let tape = Tape(
      inferenceWith: parameters, workers: workers, profiler: profiler,
      convolutionMethod: network.configuration.convolutionMethod)
    return network(tape.input(x), timesteps: times, classes: classes, on: tape).value
  }
}
