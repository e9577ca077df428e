import Configuration
import DataParallel
import Differentiation
import Diffusion
import Kernels
import Network
import Tensors

/// Trains a U-Net to separate images from noise.
public struct DenoisingTask: TrainingTask {
  public let network: UNet
  public let objective: TrainingObjective
  let configuration: RunConfiguration

  /// - Throws: `DiffusionError` if the configuration's loss and model do not fit each other.
  public init(configuration: RunConfiguration, network: UNet) throws {
    self.network = network
    self.configuration = configuration
    objective = try configuration.objective()
  }

  public var model: any TrainableNetwork { network }

  public func draw(
    images: Tensor, classes: [Int?], step: Int, firstSample: Int, lossAware: LossAwareSteps?, workers: WorkerPool
  ) -> NoisedImages {
    objective.draw(
      images: images, classes: network.configuration.classCount == nil ? nil : classes, seed: configuration.seed,
      step: step, firstSample: firstSample, lossAware: lossAware, workers: workers)
  }

  public func forward(
    _ batch: NoisedImages, step: Int, firstSample: Int, on tape: Tape
  ) -> (output: Variable, PartialLoss) {
    let dropout = Dropout(
      probability: network.configuration.dropout, seed: configuration.seed, step: step, firstSample: firstSample)
    let output = network(
      tape.input(batch.input), timesteps: batch.networkTimes, classes: batch.classes, dropout: dropout,
      recomputesBlocks: configuration.training.recomputeActivations == .blocks, on: tape)
    let loss = tape.profiler.measure(.loss, Work(floats: 3 * batch.noise.count)) {
      objective.lossAndGradient(
        output: output.value, of: batch,
        elementsInGlobalBatch: batch.input.count / configuration.training.microBatch * configuration.training.batch)
    }
    return (output, loss)
  }
}
