import Differentiation
import Diffusion
import Tensors

/// A trained U-Net as samplers see it.
public struct UNetDenoiser: Denoiser {
  private let network: UNet
  private let parameters: Arena
  private let workers: WorkerPool

  /// - Parameter parameters: must not change while the denoiser is in use.
  public init(network: UNet, parameters: Arena, workers: WorkerPool) {
    self.network = network
    self.parameters = parameters
    self.workers = workers
  }

  public func predictNoise(_ x: Tensor, timesteps: [Float]) throws -> Tensor {
    let tape = Tape(inferenceWith: parameters, workers: workers)
    return network(tape.input(x), timesteps: timesteps, on: tape).value
  }
}
