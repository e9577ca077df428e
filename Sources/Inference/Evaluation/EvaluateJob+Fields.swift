import Configuration
import Datasets
import Failures
import FeatureNetworks
import MessagePassing
import Ranks
import Reporting

extension EvaluateJob {
  /// Draws fields and measures them. Collective; equal on all ranks.
  func evaluateFields(
    _ fields: FieldDescription, _ model: TrainedModel, _ communicator: Communicator, _ reporter: RunReporter
  ) throws -> FieldEvaluationResult {
    let limits = try MemoryLimits(of: communicator)
    let (evaluation, drawing) = try communicator.together { () throws -> (FieldEvaluation, ImageDrawing) in
      try refuseImageOptions()
      guard model.conditionChannels > 0 || members == nil else {
        throw InputError(
          "--members is for models that were trained with data.conditions, but this one was not; choose the number of "
            + "fields with --count")
      }
      let split = referenceSplit(for: model)
      let truths = try FieldTruths(
        model.configuration, path: dataPath, split: split, for: fields, shape: model.imageShape)
      let evaluation = try FieldEvaluation(
        against: truths, split: split, measures: measures, count: count,
        members: members ?? model.configuration.evaluation.members,
        referenceCount: referenceCount, style: .options, limits: limits, communicator: communicator,
        workers: model.workers)
      return try namingOptions {
        let conditions = try self.conditions(model, from: truths.dataset, members: evaluation.members ?? 1)
        let drawing = try ImageDrawing(
          model, conditions: conditions, seed: seed, batchSize: self.model.batch, communicator: communicator)
        return (evaluation, drawing)
      }
    }
    try communicator.requireAlike("reference", evaluation.referenceFingerprint)
    return try evaluation.evaluate(
      drawing, against: evaluation.reference(reporter: reporter), reporter: reporter)
  }

  private func refuseImageOptions() throws(InputError) {
    let options = [
      ("--reference", referenceFile != nil), ("--features", features != EmbeddedClassifier.name),
      ("--inception-weights", inceptionWeights != nil), ("--background", background != nil),
    ]
    guard let (name, _) = options.first(where: { $0.1 }) else { return }
    throw InputError(
      "\(name) is for models of images, but this one draws fields, which are compared with its data set itself")
  }
}
