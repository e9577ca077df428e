import Differentiation
import Diffusion
import Kernels
import Tensors

/// A trained U-Net as denoisers see it.
package struct TrainedUNet: DifferentiableNetwork {
  private let network: UNet
  private let parameters: Arena
  private let workers: WorkerPool
  private let profiler: Profiler?

  /// - Parameter parameters: must not change while the network is in use.
  package init(network: UNet, parameters: Arena, workers: WorkerPool, profiler: Profiler? = nil) {
    self.network = network
    self.parameters = parameters
    self.workers = workers
    self.profiler = profiler
  }

  package func output(_ x: Tensor, times: [Float], conditions: Conditions) -> Tensor {
    let tape = Tape(
      inferenceWith: parameters, workers: workers, profiler: profiler, arithmetic: network.arithmetic)
    return network(tape.input(x), timesteps: times, conditions: conditions, on: tape).value
  }

  package func outputWithPullback(
    _ x: Tensor, times: [Float], conditions: Conditions
  ) -> (output: Tensor, pullback: (_ vector: Tensor) throws -> Tensor) {
    func record() -> (tape: Tape, input: Variable, output: Variable) {
      let tape = Tape(
        recordingWith: parameters, gradients: nil, workers: workers, profiler: profiler,
        arithmetic: network.arithmetic)
      let input = tape.input(x, needsGradient: true)
      return (tape, input, network(input, timesteps: times, conditions: conditions, on: tape))
    }
    // A tape unwinds once, and is released then.
    var recorded = Optional(record())
    return (
      recorded!.output.value,
      { vector in
        let (tape, input, output) = recorded ?? record()
        recorded = nil
        tape.unwind(from: output, seed: seed(vector, like: output.value))
        guard let derivative = input.inputGradient else { preconditionFailure("every output depends on the input") }
        return derivative
      }
    )
  }

  /// The vector for the first channels and zeros for the others.
  private func seed(_ vector: Tensor, like output: Tensor) -> Tensor {
    let (channels, outputChannels) = (vector.shape[3], output.shape[3])
    if channels == outputChannels { return vector }
    let seed = Tensor(shape: output.shape)
    Rows.copy(Matrix(vector), into: Matrix(seed).columns(0..<channels), workers: workers)
    return seed
  }
}
