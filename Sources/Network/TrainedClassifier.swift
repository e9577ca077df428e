import Differentiation
import Diffusion
import Tensors

/// A trained classifier as guidance sees it.
package struct TrainedClassifier: NoisyClassifier, Sendable {
  private let network: ClassifierNetwork
  private let parameters: Arena
  private let workers: WorkerPool

  /// - Parameter parameters: must not change while the network is in use.
  package init(network: ClassifierNetwork, parameters: Arena, workers: WorkerPool) {
    self.network = network
    self.parameters = parameters
    self.workers = workers
  }

  package var classCount: Int { network.classCount }

  package func logProbabilityGradient(_ x: Tensor, times: [Float], classes: [Int]) -> Tensor {
    let tape = Tape(recordingWith: parameters, gradients: nil, workers: workers, arithmetic: network.arithmetic)
    let input = tape.input(x, needsGradient: true)
    let logits = network(input, timesteps: times, on: tape)
    tape.unwind(
      from: logits, seed: CrossEntropy.logProbabilityGradient(logits: logits.value, classes: classes))
    guard let gradient = input.inputGradient else { preconditionFailure("every class depends on the input") }
    return gradient
  }

  /// log p(class | x_t) of each image and class.
  package func logProbabilities(_ x: Tensor, times: [Float]) -> [[Double]] {
    let tape = Tape(inferenceWith: parameters, workers: workers, arithmetic: network.arithmetic)
    return CrossEntropy.logProbabilities(network(tape.input(x), timesteps: times, on: tape).value)
  }
}
