import Configuration
import Datasets
import Failures
import Inference
import MessagePassing
import Network
import Reporting

// How a run shows what it has learnt.
extension TrainingRun {
  /// Shows what the task has learnt, such as a grid of samples. Collective.
  func showProgress(step: Int) throws {
    try tell("\(task.progress) not shown", step: step) { try task.showProgress(of: self, step: step) }
  }

  /// Reports the result of `body`, which training does not depend on: if it fails on all ranks alike, the log and the
  /// journal record the reason, and training continues. Collective.
  /// - Parameters:
  ///   - failure: the start of the warning if it fails.
  ///   - body: returns a sentence for the user, on rank 0.
  private func tell(_ failure: String, step: Int, _ body: () throws -> String) throws {
    do {
      let news = try body()
      reporter.message(news)
    } catch let error as any JobEndingError where error.isKnownToAllRanks {
      reporter.log.warning("\(failure) after step \(step): \(error); training continues")
      journal?.note(JournalEntry(.warning, step: step, reason: "\(failure): \(error)"))
    }
  }

  /// The first average as a model that draws with the run's sampling keys. Collective.
  func model(of network: UNet, step: Int) throws -> TrainedModel {
    try TrainedModel(
      configuration, network: network, parameters: try trainer.gatherAverage(trainer.averages[0]),
      fields: dataset.fields, workers: workers,
      origin: .init(
        checkpoint: folder.checkpointPath(step: step), weights: .ema, trainingSteps: step,
        trainingImages: step * configuration.training.batch))
  }

  /// Draws from the first average. Collective.
  /// - Parameter given: the channels that the network is given; nil if it takes none.
  func drawing(by network: UNet, given: GivenFields? = nil, step: Int) throws -> ImageDrawing {
    try ImageDrawing(
      model(of: network, step: step), conditions: DrawConditions(given: given, configuration: configuration),
      seed: configuration.seed, communicator: communicator)
  }

  /// Measures samples drawn by the first average, reports the result, and keeps the checkpoint if it is the best so far.
  /// Collective.
  func measureSamples(step: Int, _ metrics: inout MetricsWriter?) throws {
    guard let evaluation, let network = task.drawingNetwork else { return }
    // A file that is still being written cannot be kept.
    try saver.finish()
    try tell("the \(evaluation.samples) are not measured", step: step) {
      let (result, isBest) = try evaluation.evaluate(try model(of: network, step: step))
      guard communicator.rank == 0 else { return "" }
      reporter.log.warnIfUnwritten { try metrics?.append(step: step, result.numbers) }
      tensorBoard?.noteMeasures(result.numbers, step: step)
      guard isBest else { return result.text }
      do {
        try folder.keepAsBest(step: step)
        return "\(result.text)\nThe best so far: kept as \(folder.bestCheckpointPath)."
      } catch {
        reporter.log.warning("the best checkpoint so far is not kept: \(error)")
        return result.text
      }
    }
  }
}
