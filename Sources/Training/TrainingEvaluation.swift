import Configuration
import Datasets
import Files
import Inference
import MessagePassing
import Reporting
import Tensors

/// Evaluates what a run's model draws at intervals, against the run's data. All calls are collective.
final class TrainingEvaluation {
  /// The samples that are evaluated, in the plural.
  let samples: String
  private let subject: any EvaluationSubject
  private let communicator: Communicator
  private let reporter: RunReporter
  /// The smallest score so far, among the steps that the run continues from.
  private var best: Double?
  private var file: AppendedFile?

  /// Checks everything that can be checked before training; nil if nothing is to be measured.
  /// - Parameters:
  ///   - training: the training samples.
  ///   - step: the step that the run continues from.
  /// - Throws: `JobFailure` on all ranks if the feature network is not available, there are too few samples to compare
  ///   with, or measures do not fit.
  init?(
    _ configuration: RunConfiguration, training: any Dataset, folder: RunFolder, after step: Int,
    communicator: Communicator, workers: WorkerPool, reporter: RunReporter
  ) throws {
    if configuration.evaluation.every == nil { return nil }
    if let fields = training.fields {
      samples = FieldMeasure.samples
      subject = try FieldSubject(
        configuration, fields, shape: training.drawnShape, communicator: communicator, workers: workers)
    } else {
      samples = Measure.samples
      subject = try ImageSubject(configuration, training: training, communicator: communicator, workers: workers)
    }
    self.communicator = communicator
    self.reporter = reporter
    try communicator.onRankZero {
      best = Self.best(of: subject, in: folder.evaluationsPath, before: step)
      file = try AppendedFile(path: folder.evaluationsPath)
    }
  }

  /// Draws samples and measures them.
  /// - Returns: the measures, equal on all ranks, and on rank 0 whether the score is the smallest so far.
  func evaluate(_ model: TrainedModel) throws -> (result: any EvaluationReport, isBest: Bool) {
    let result = try subject.evaluate(model, reporter: reporter)
    guard communicator.rank == 0 else { return (result, false) }
    reporter.log.warnIfUnwritten { try file?.append((try jsonLine(result) + "\n").utf8) }
    guard let score = result.score?.value else { return (result, false) }
    let isBest = best.map { score < $0 } ?? true
    if isBest { best = score }
    return (result, isBest)
  }

  /// The smallest score among earlier results that were measured in the same way against the same reference; nil if
  /// there is none. Lines that a crash truncated are skipped.
  private static func best<Subject: EvaluationSubject>(
    of subject: Subject, in path: String, before step: Int
  ) -> Double? {
    guard let bytes = try? readBytes(at: path) else { return nil }
    let results: [Subject.Report] = bytes.split(separator: UInt8(ascii: "\n")).compactMap { value(ofJSONLine: $0) }
    return results.filter { $0.trainingSteps <= step && subject.isComparable($0) }.compactMap { $0.score?.value }.min()
  }
}

/// What a run draws and compares, images or fields. All calls are collective.
protocol EvaluationSubject: AnyObject {
  associatedtype Report: EvaluationReport

  /// Draws samples and measures them; equal on all ranks.
  func evaluate(_ model: TrainedModel, reporter: RunReporter) throws -> Report

  /// Whether an earlier result was measured in the same way against the same reference. On one rank.
  func isComparable(_ earlier: Report) -> Bool
}
