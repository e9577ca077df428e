import Differentiation
import Diffusion
import Tensors

/// A trained U-Net as samplers see it.
public struct UNetDenoiser: Denoiser {
  private let network: UNet
  private let parameters: Arena
  private let workers: WorkerPool
  private let profiler: Profiler?

  /// - Parameter parameters: must not change while the denoiser is in use.
  public init(network: UNet, parameters: Arena, workers: WorkerPool, profiler: Profiler? = nil) {
    self.network = network
    self.parameters = parameters
    self.workers = workers
    self.profiler = profiler
  }

  public func predictNoise(_ x: Tensor, timesteps: [Float]) throws -> Tensor {
    let tape = Tape(
      inferenceWith: parameters, workers: workers, profiler: profiler,
      convolutionMethod: network.configuration.convolutionMethod)
    return network(tape.input(x), timesteps: timesteps, on: tape).value
  }
}
