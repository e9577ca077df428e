import Configuration
import DataParallel
import Datasets
import Differentiation
import Diffusion
import Images
import Inference
import Kernels
import Network
import Tensors

/// Trains a U-Net to separate images from noise.
package struct DenoisingTask: TrainingTask {
  package let network: UNet
  package let objective: TrainingObjective
  let configuration: RunConfiguration
  /// The channels that samples are drawn for; nil if the network takes none.
  let given: GivenFields?

  /// - Throws: `DiffusionError` if the configuration's loss and model do not fit each other.
  package init(configuration: RunConfiguration, network: UNet, given: GivenFields? = nil) throws {
    self.network = network
    self.configuration = configuration
    self.given = given
    objective = try configuration.objective()
  }

  package var model: any TrainableNetwork { network }

  package func forward(
    _ batch: NoisedImages, step: Int, firstSample: Int, on tape: Tape
  ) -> (output: Variable, PartialLoss) {
    let output = network(
      tape.input(batch.input), timesteps: batch.networkTimes, conditions: batch.conditions,
      dropout: dropout(step: step, firstSample: firstSample),
      recomputesBlocks: configuration.training.recomputeActivations == .blocks, on: tape)
    let loss = tape.profiler.measure(.loss, Work(floats: 3 * batch.noise.count)) {
      objective.lossAndGradient(
        output: output.value, of: batch,
        elementsInGlobalBatch: batch.input.count / configuration.training.microBatch * configuration.training.batch)
    }
    return (output, loss)
  }
}

extension DenoisingTask: RunTask {
  var classCount: Int? { nil }
  var usesClasses: Bool { network.configuration.classCount != nil }
  var labelDropout: Double { configuration.training.labelDropout }
  var networkConfiguration: UNetConfiguration { network.configuration }
  var drawingNetwork: UNet? { network }
  var progress: String { "the samples are" }

  /// A sheet of fields has a row for each.
  private static let maximumFieldCount = 8

  /// Draws a sheet of samples from the first average, with the work shared among all ranks. Collective.
  /// - Returns: a sentence about it.
  func showProgress(of run: TrainingRun, step: Int) throws -> String {
    let samples = configuration.training.sampleCount
    let count = run.dataset.fields == nil ? samples : min(samples, Self.maximumFieldCount)
    let drawing = try run.drawing(by: network, given: given, step: step)
    let share = try drawing.drawShare(of: count, reporter: run.reporter)
    let images = try drawing.gather(share.images, count: count)
    let path = run.folder.samplePath(step: step)
    if let images {
      // Failing to write the sheet does not justify discarding training's results.
      do {
        let sheet = try drawing.sheet(images)
        try PNG.write(sheet, to: path)
        run.tensorBoard?.noteSamples(sheet, path: path, step: step)
      } catch {
        return "Drew samples, but they could not be written: \(error)."
      }
    }
    return "Drew \(path)."
  }
}
