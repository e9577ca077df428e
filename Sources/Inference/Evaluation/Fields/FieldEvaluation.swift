import Datasets
import Diffusion
import Failures
import FieldMeasures
import MessagePassing
import Ranks
import Reporting
import Tensors
import TextFormatting

/// Compares fields that a model draws with those of a data set, in physical units.
///
/// A model without conditions draws `count` fields. A model with conditions draws an ensemble of `members` fields for
/// each of the first `count` samples of the data set, from the conditions of that sample, and the ensemble is compared
/// with the sample's own fields, the truth. Values that were missing when the data set was packed do not count.
package struct FieldEvaluation: Sendable {
  let truths: FieldTruths
  package let split: DatasetSplit
  package let measures: [FieldMeasure]
  /// The number of fields, or of conditions.
  package let count: Int
  /// nil for a model without conditions.
  package let members: Int?
  /// The number of reference fields, the first of the split.
  package let referenceCount: Int
  let communicator: Communicator
  let workers: WorkerPool

  /// - Parameters:
  ///   - measures: names; if empty, all that fit.
  ///   - members: the number of fields for each condition, if the model has conditions.
  ///   - referenceCount: by default that of the split; with conditions, the number of conditions, so that the same
  ///     fields are compared.
  ///   - limits: those of this rank's memory.
  /// - Throws: `InputError` for measures that do not fit, if the split has too few fields, and if an ensemble does not
  ///   fit in memory.
  package init(
    against truths: FieldTruths, split: DatasetSplit, measures: [String], count: Int, members: Int,
    referenceCount: Int?, style: SettingStyle, limits: MemoryLimits, communicator: Communicator, workers: WorkerPool
  ) throws(InputError) {
    self.truths = truths
    self.split = split
    self.count = count
    self.members = truths.dataset.conditionChannels > 0 ? members : nil
    self.referenceCount = referenceCount ?? (self.members == nil ? truths.dataset.count : count)
    self.communicator = communicator
    self.workers = workers
    self.measures = try FieldMeasure.chosen(
      measures, variableCount: truths.variables.count, members: self.members,
      incompleteVariables: truths.incompleteVariables, style: style)
    let needs = [("reference_count", referenceCount ?? 0), ("count", self.members == nil ? 0 : count)]
    for (key, number) in needs where number > truths.dataset.count {
      throw InputError(
        "\(style.name(key)) is \(number), but \(truths.dataset.name) has only \(truths.dataset.count) "
          + "\(split.rawValue) fields")
    }
    guard let kept = self.members, self.measures.contains(where: \.needsEnsembles) else { return }
    // The members of an ensemble are kept until all have been drawn.
    var need = MemoryNeed()
    need.add(
      floats: truths.shape.reduce(Double(kept)) { $0 * Double($1) },
      for: "an ensemble of \(style.name("members")) \(kept) fields")
    try need.require(limits)
  }

  /// The name of the number by which the best checkpoint is chosen; nil if the measures have none.
  package var scoreName: String? {
    FieldEvaluationResult.scoreNames.first { name in
      switch name {
      case FieldEvaluationResult.relativeCRPSName: measures.contains(.crps)
      default: measures.contains(.spectrum)
      }
    }
  }

  /// The fingerprint of the reference's data set, 16 hexadecimal digits.
  package var referenceFingerprint: String { String(printf: "%016llx", truths.dataset.contentMark) }

  /// Draws the fields and measures them. Collective; the result has the same bits on all ranks and for any number of
  /// them.
  ///
  /// - Parameter drawing: has the conditions of the data set's first samples, if the model has conditions.
  /// - Throws: `JobFailure` on all ranks if a field is not finite, or a truth cannot be read.
  package func evaluate(
    _ drawing: ImageDrawing, against reference: FieldReference, reporter: RunReporter
  ) throws -> FieldEvaluationResult {
    guard let description = drawing.model.fields else { preconditionFailure("a model of images draws no fields") }
    let memberCount = members ?? 1
    precondition(drawing.conditions.members == memberCount, "another number of members is drawn")
    let cases = communicator.share(of: count)
    var sums = try communicator.together {
      try FieldSums(
        measures, shape: truths.shape, edges: reference.distribution.histograms.map(\.edges),
        firstSample: cases.lowerBound * memberCount)
    }
    var ensembles =
      measures.contains(where: \.needsEnsembles)
      ? EnsembleCollection(
        memberCount: memberCount, shape: truths.shape, seed: drawing.seed, firstCase: cases.lowerBound) : nil
    let evaluations = try drawing.draw(0..<count * memberCount, group: memberCount, reporter: reporter) { batch in
      let fields = batch.images
      description.denormalise(fields, as: description.variables)
      let samples = members.map { members in batch.numbers.map { $0 / members } }
      try sums.add(fields, isPresent: truths.presence(inDrawn: fields, for: samples), workers: workers)
      try ensembles?.add(fields, workers: workers) { try truths.fields($0..<$0 + 1, workers: workers) }
    }
    sums = try sums.gathered(over: communicator)
    let ensembleSums = try ensembles?.sums.gathered(over: communicator)
    // Equal bits on all ranks even if their processors differ.
    let result = try communicator.together { () throws -> FieldEvaluationResult? in
      try FaultPoint.evaluate.pass(rank: communicator.rank)
      guard communicator.rank == 0 else { return nil }
      return try self.result(
        of: sums.distribution(), ensembleSums, against: reference, drawing, evaluations: evaluations)
    }
    return try communicator.broadcast(encoding: result, from: 0)
  }

  private func result(
    of drawn: FieldDistribution, _ ensembles: EnsembleSums?, against reference: FieldReference,
    _ drawing: ImageDrawing, evaluations: Int
  ) throws -> FieldEvaluationResult {
    let model = drawing.model
    var result = FieldEvaluationResult(
      count: count, members: members, reference: truths.dataset.name, referenceSplit: split.rawValue,
      referenceCount: reference.count, referenceFingerprint: referenceFingerprint,
      sampler: model.samplerName.rawValue, steps: drawing.sampler.stepCount, evaluations: evaluations,
      seed: drawing.seed, weights: model.origin.weights.rawValue, checkpoint: model.origin.checkpoint,
      trainingSteps: model.origin.trainingSteps)
    try result.add(
      measures, of: truths.variables, drawn: drawn, reference: reference.distribution, ensembles: ensembles)
    return result
  }
}
