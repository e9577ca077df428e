import Checkpoints
import Configuration
import Images
import Inference
import Network

extension DenoisingTask: RunTask {
  var kind: CheckpointHeader.Kind { .denoiser }
  var classCount: Int? { nil }
  var labelDropout: Double { configuration.training.labelDropout }
  var networkConfiguration: UNetConfiguration { network.configuration }
  var drawingNetwork: UNet? { network }
  var progress: String { "the samples are" }

  /// Draws a grid of samples from the first average, with the work shared among all ranks. Collective.
  /// - Returns: a sentence about it.
  func showProgress(of run: TrainingRun, step: Int) throws -> String {
    let count = configuration.training.sampleCount
    let drawing = try run.drawing(by: network, step: step)
    let share = try drawing.drawShare(of: count, reporter: run.reporter)
    let images = try drawing.gather(share.images, count: count)
    let path = run.folder.samplePath(step: step)
    if run.communicator.rank == 0 {
      // Failing to write the grid does not justify discarding training's results.
      let grid = sampleGrid(images)
      do { try PNG.write(grid, to: path) } catch {
        return "Drew samples, but they could not be written: \(error)."
      }
      run.tensorBoard?.noteSamples(grid, path: path, step: step)
    }
    return "Drew \(path)."
  }
}
