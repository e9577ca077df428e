import Configuration
import Datasets
import Inference
import MessagePassing
import Ranks
import Reporting
import Tensors

/// A run's fields, which are compared with those of its data set in physical units.
final class FieldSubject: EvaluationSubject {
  private let configuration: RunConfiguration
  private let evaluation: FieldEvaluation
  /// The channels that are given to the network; nil if it takes none.
  private let given: GivenFields?
  private let communicator: Communicator
  /// Read on first use.
  private var reference: FieldReference?

  /// - Parameters:
  ///   - fields: what the channels are.
  ///   - shape: [H, W, C] of what is drawn.
  init(
    _ configuration: RunConfiguration, _ fields: FieldDescription, shape: [Int], communicator: Communicator,
    workers: WorkerPool
  ) throws {
    let settings = configuration.evaluation
    self.configuration = configuration
    self.communicator = communicator
    let limits = try MemoryLimits(of: communicator)
    (evaluation, given) = try communicator.together { () throws -> (FieldEvaluation, GivenFields?) in
      let truths = try FieldTruths(configuration, split: settings.split, for: fields, shape: shape)
      let evaluation = try FieldEvaluation(
        against: truths, split: settings.split, measures: settings.measures, count: settings.count,
        members: settings.members, referenceCount: settings.referenceCount, style: .keys, limits: limits,
        communicator: communicator, workers: workers)
      return (evaluation, truths.dataset.conditionChannels > 0 ? GivenFields(truths.dataset) : nil)
    }
    try communicator.requireAlike("reference", evaluation.referenceFingerprint)
  }

  func evaluate(_ model: TrainedModel, reporter: RunReporter) throws -> FieldEvaluationResult {
    let reference = try self.reference ?? evaluation.reference(reporter: reporter)
    self.reference = reference
    let conditions = try DrawConditions(
      given: given, members: evaluation.members ?? 1, configuration: model.configuration)
    let drawing = try ImageDrawing(
      model, conditions: conditions, seed: configuration.seed, communicator: communicator)
    return try evaluation.evaluate(drawing, against: reference, reporter: reporter)
  }

  func isComparable(_ earlier: FieldEvaluationResult) -> Bool {
    earlier.score?.name == evaluation.scoreName && earlier.count == evaluation.count
      && earlier.members == evaluation.members && earlier.referenceSplit == evaluation.split.rawValue
      && earlier.referenceFingerprint == evaluation.referenceFingerprint
      && earlier.referenceCount == evaluation.referenceCount
  }
}
