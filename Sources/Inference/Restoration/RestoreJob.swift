import Configuration
import Datasets
import Diffusion
import Failures
import HDF5
import MessagePassing
import Network
import Reporting
import Tensors

/// Draws images that fit measurements, an ensemble for each, shared among all ranks. Member m of measurement i depends on
/// the model, the seed, the method, the measurement, i and m alone.
package struct RestoreJob: Sendable {
  package var model: ModelRequest
  package var measured: MeasuredRequest
  /// The method with its options, apart from the next two and from clipping, which is as the model's configuration says.
  package var method = RestorationSettings()
  /// nil: 250, or all steps of a process that has fewer.
  package var steps: Int?
  /// nil: that of the data that the model was trained on.
  package var sigmaData: Double?
  package var members = 1
  /// The first measurement.
  package var first = 0
  /// The number of measurements; nil for all from the first one on.
  package var count: Int?
  package var seed: UInt64 = 0
  /// The classes of the measurements in turn; by default none.
  package var classes: [Int?]?
  /// A file of conditions, for models that are given some; those of the measurements in turn.
  package var condition: String?
  package var outputs = ImageOutputs()

  package init(_ model: ModelRequest, _ measured: MeasuredRequest) {
    self.model = model
    self.measured = measured
  }

  /// The parts that a model determines.
  private struct Work {
    let model: TrainedModel
    let method: any RestorationMethod
    let data: MeasuredData
    let conditions: DrawConditions
    /// The numbers of the measurements.
    let numbers: Range<Int>
  }

  /// Collective.
  package func run(communicator: Communicator) throws {
    let reporter = RunReporter(isSpeaking: communicator.rank == 0)
    // An error's message must not be written into a live line.
    defer { reporter.finish() }
    let model = try TrainedModel(
      model, activations: { method.name.differentiates ? $0.training : $0.inference }, communicator: communicator,
      reporter: reporter)
    let work = try communicator.together { try namingOptions { try self.work(model) } }
    try communicator.requireAlike(
      "--measured or --condition", "\(work.data.count), \(work.conditions.given?.fingerprint ?? 0)")
    for remark in work.conditions.given?.remarks ?? [] { reporter.log.warning("\(remark)") }
    let steps = work.method.stepCount.map { ProgressFormat.count($0, of: "step") } ?? "steps chosen by the error"
    reporter.message(
      "Restoring \(ProgressFormat.count(work.numbers.count, of: "measurement"))"
        + (members > 1 ? ", \(members) times each," : "")
        + " with \(model.origin.checkpoint) by \(method.name.rawValue) in "
        + "\(steps).")
  }

  private func work(_ model: TrainedModel) throws -> Work {
    let data = try MeasuredData(measured, for: model, seed: seed)
    guard first < data.count, count ?? 1 <= data.count - first else {
      throw InputError(
        "--measured \(measured.path): it has \(ProgressFormat.count(data.count, of: "measurement")), but --first is \(first)"
          + (count.map { " and --count is \($0)" } ?? ""))
    }
    let classCount = model.configuration.model.classes
    if classes == nil && classCount != nil && model.configuration.training.labelDropout == 0 {
      throw DiffusionError(
        key: "class", problem: "the model was always conditioned on the class; give that of the measured images")
    }
    // Guidance would draw from another distribution than the posterior's.
    var configuration = model.configuration
    configuration.sampling.guidance = 0
    let conditions = try DrawConditions(
      classes: classes ?? (classCount == nil ? nil : [nil]),
      given: try condition.map { try GivenFields($0, for: model) }, members: members, configuration: configuration)
    return Work(
      model: model, method: try settings(for: model).method(for: model.process, variance: model.description.variance),
      data: data, conditions: conditions, numbers: first..<first + (count ?? data.count - first))
  }

  private func settings(for model: TrainedModel) -> RestorationSettings {
    var settings = method
    settings.steps = steps ?? min(settings.steps, model.process.discrete?.steps ?? .max)
    settings.sigmaData = sigmaData ?? model.fields?.sigmaData ?? model.configuration.diffusion.sigmaData ?? 0.5
    settings.clipsOriginal = model.configuration.sampling.clipsOriginal
    return settings
  }

  /// Restores this rank's share, and passes on each batch when it is drawn. Collective.
  /// - Parameter take: called for each batch in order, with the images' indices; it must not communicate.
  /// - Returns: network evaluations per image, the maximum over all ranks' images.
  /// - Throws: `JobFailure` on all ranks if an image is not finite, a measurement cannot be used, or `take` throws on any.
  private func draw(
    _ work: Work, communicator: Communicator, reporter: RunReporter, take: (Range<Int>, Tensor) throws -> Void
  ) throws -> Int {
    let count = work.numbers.count * members
    let batches = communicator.batches(of: count, size: model.batch)
    var evaluations = 0
    try communicator.together {
      for (batch, rows) in batches.enumerated() {
        let range = rows.moved(by: first * members)
        let images = Tensor(uninitialised: [range.count] + work.model.imageShape)
        // Of the measurements.
        let numbers = range.lowerBound / members..<(range.upperBound - 1) / members + 1
        let groups = try namingOptions { try work.data.measurements(numbers) }
        for (index, group) in groups.enumerated() {
          let members = range.clamped(
            to: group.numbers.lowerBound * self.members..<group.numbers.upperBound * self.members)
          let drawn = try draw(members, group, work) { done, steps in
            let progress = SamplingProgress(
              "restoring", imageCount: count, of: work.model.noun, step: (batch * groups.count + index) * steps + done,
              stepCount: batches.count * groups.count * steps)
            reporter.show(progress, isMilestone: false)
          }
          evaluations = max(evaluations, drawn.evaluations)
          images[members.moved(by: -range.lowerBound)].copy(drawn.images.single)
        }
        guard images.isFinite else {
          throw RunError(
            .notFinite,
            "a restored \(work.model.noun) has values that are not finite: the weights have diverged, or the method with "
              + "these options")
        }
        try take(range, images)
      }
    }
    return try communicator.allReduceMaximum(evaluations)
  }

  /// Restores images whose measurements are in one group, on this rank alone.
  /// - Parameter progress: called with the steps done, and all of them.
  private func draw(
    _ images: Range<Int>, _ group: MeasuredData.Group, _ work: Work, progress: @escaping (Int, Int) -> Void
  ) throws -> Samples {
    let draws = images.map { work.conditions.draw($0) }
    let guidance = work.conditions.guidance(for: images, given: try work.conditions.given(for: images))
    // A sampler without common steps reports per cent.
    let steps = work.method.stepCount ?? 100
    return try namingOptions {
      try work.method.restore(
        group.measurement.rows(draws.map { $0.image - group.numbers.lowerBound }), draws: draws, seed: seed,
        denoiser: work.model.denoiser(guidance)
      ) { step in progress(step.done, steps) }
    }
  }
}
