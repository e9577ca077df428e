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
  private struct Setup {
    let model: TrainedModel
    let method: any RestorationMethod
    let data: MeasuredData
    let conditions: DrawConditions
    let drawn: DrawnSet
  }

  /// Collective.
  package func run(communicator: Communicator) throws {
    let reporter = RunReporter(isSpeaking: communicator.rank == 0)
    // An error's message must not be written into a live line.
    defer { reporter.finish() }
    let model = try TrainedModel(
      model, activations: { method.name.differentiates ? $0.training : $0.inference }, communicator: communicator,
      reporter: reporter)
    let setup = try communicator.together { try namingOptions { try setUp(model) } }
    try communicator.requireAlike(
      "--measured", "a file of \(ProgressFormat.count(setup.data.count, of: "measurement"))")
    if let given = setup.conditions.given {
      try communicator.requireAlike(
        "--condition", "a file with the fingerprint \(String(given.fingerprint, radix: 16))")
    }
    let drawn = setup.drawn
    let steps = setup.method.stepCount.map { ProgressFormat.count($0, of: "step") } ?? "adaptive steps"
    reporter.message(
      "Drawing \(ProgressFormat.count(members, of: model.noun)) for each of "
        + "\(ProgressFormat.count(drawn.count, of: "measurement")) from \(model.origin.checkpoint) by "
        + "\(method.name.rawValue) in \(steps).")
    var contents: ImageWriter.Contents = outputs.writesFloats ? [.samples, .latents] : []
    if classes != nil { contents.insert(.labels) }
    let writer = try outputs.writer(for: model, drawn, contents: contents, communicator: communicator)
    let evaluations = try writer.write {
      try draw(setup, communicator: communicator, reporter: reporter, take: { try writer.write($0) })
    } describe: { file, evaluations in
      try describe(setup, evaluations: evaluations, in: file)
    }
    reporter.clear()
    reporter.message(
      "Wrote \(outputs.description); \(ProgressFormat.count(evaluations, of: "evaluation")) of the network per "
        + "\(model.noun)\(method.iterations > 0 ? ", apart from iterations" : "").")
  }

  private func setUp(_ model: TrainedModel) throws -> Setup {
    let data = try MeasuredData(measured, for: model, seed: seed)
    guard first < data.count, count ?? 1 <= data.count - first else {
      throw InputError(
        "--measured \(measured.path): it has \(ProgressFormat.count(data.count, of: "measurement")), but --first is \(first)"
          + (count.map { " and --count is \($0)" } ?? ""))
    }
    var configuration = model.configuration
    // Guidance would draw from another distribution than the posterior's.
    configuration.sampling.guidance = 0
    let conditions = try DrawConditions(
      classes: try classes(of: configuration), given: try condition.map { try GivenFields($0, for: model) },
      members: members, configuration: configuration)
    let method = try settings(for: model).method(for: model.process, variance: model.description.variance)
    for group in try data.measurements(first..<first + 1) { try method.check(group.measurement) }
    return Setup(
      model: model, method: method, data: data, conditions: conditions,
      drawn: DrawnSet(first: first, count: count ?? data.count - first, members: members))
  }

  /// The classes of the measurements in turn; nil for a model without classes.
  private func classes(of configuration: RunConfiguration) throws(DiffusionError) -> [Int?]? {
    guard configuration.model.classes != nil else {
      guard classes == nil else { throw DiffusionError(key: "class", problem: "the model was trained without classes") }
      return nil
    }
    if let classes { return classes }
    guard configuration.training.labelDropout > 0 else {
      throw DiffusionError(
        key: "class", problem: "the model was always conditioned on the class; give that of the measured images")
    }
    return [nil]
  }

  private func settings(for model: TrainedModel) -> RestorationSettings {
    var settings = method
    settings.steps = steps ?? min(settings.steps, model.process.discrete?.steps ?? .max)
    settings.sigmaData = sigmaData ?? model.configuration.diffusion.sigmaData ?? model.fields?.sigmaData ?? 0.5
    settings.clipsOriginal = model.configuration.sampling.clipsOriginal
    return settings
  }

  /// Restores this rank's share, and passes on each batch when it is drawn. Collective.
  /// - Parameter take: called for each batch in order; it must not communicate.
  /// - Returns: network evaluations per image, the maximum over all ranks' images.
  /// - Throws: `JobFailure` on all ranks if an image is not finite, a measurement cannot be used, or `take` throws on any.
  private func draw(
    _ setup: Setup, communicator: Communicator, reporter: RunReporter, take: (ImageBatch) throws -> Void
  ) throws -> Int {
    let numbers = setup.drawn.numbers
    let batches = communicator.batches(of: numbers.count, size: model.batch)
    var evaluations = 0
    try communicator.together {
      for (batch, rows) in batches.enumerated() {
        let range = rows.moved(by: numbers.lowerBound)
        let (images, drawn) = try draw(range, setup) { share in
          let progress = SamplingProgress(
            "restoring", imageCount: numbers.count, of: setup.model.noun, step: Int(100 * (Double(batch) + share)),
            stepCount: 100 * batches.count)
          reporter.show(progress, isMilestone: false)
        }
        evaluations = max(evaluations, drawn)
        guard images.images.isFinite else {
          throw RunError(
            .notFinite,
            "a restored \(setup.model.noun) has values that are not finite: the weights have diverged, or the method with "
              + "these options")
        }
        try take(images)
      }
    }
    return try communicator.allReduceMaximum(evaluations)
  }

  /// Restores a batch, on this rank alone.
  /// - Parameter progress: called with the share that is done.
  /// - Returns: the images, and the network evaluations for each.
  private func draw(
    _ range: Range<Int>, _ setup: Setup, progress: @escaping (Double) -> Void
  ) throws -> (ImageBatch, evaluations: Int) {
    let conditions = setup.conditions
    let draws = range.map { conditions.draw($0) }
    let shape = [range.count] + setup.model.imageShape
    let latents = Latents.draw(shape: shape, seed: seed, draws: draws)
    let given = try conditions.given(for: range)
    let images = Tensor(uninitialised: shape)
    var evaluations = 0
    // A sampler without common steps reports per cent.
    let steps = Double(setup.method.stepCount ?? 100)
    try namingOptions {
      let measurements = draws[0].image..<draws[draws.count - 1].image + 1
      for group in try setup.data.measurements(measurements) {
        let rows = draws.indices.filter { group.numbers.contains(draws[$0].image) }
        let part = rows[0]..<rows[0] + rows.count
        let guidance = conditions.guidance(for: part.moved(by: range.lowerBound), given: given.map { $0[part] })
        let drawn = try setup.method.restore(
          group.measurement.rows(rows.map { draws[$0].image - group.numbers.lowerBound }),
          from: DoubleTensor(latents[part]), denoiser: setup.model.denoiser(guidance),
          noise: SamplerNoise(seed: seed, draws: Array(draws[part]))
        ) { step in
          let done = Double(part.lowerBound) + Double(part.count) * Double(step.done) / steps
          progress(done / Double(draws.count))
        }
        images[part].copy(drawn.images.single)
        evaluations = max(evaluations, drawn.evaluations)
      }
    }
    return (
      ImageBatch(
        numbers: range, images: images, latents: latents, labels: range.map(conditions.classOf), given: given),
      evaluations
    )
  }

  private func describe(_ setup: Setup, evaluations: Int, in file: borrowing HDF5File) throws {
    try file.writeAttribute("measured", measured.path)
    try file.writeAttribute("operator", measured.forward?.text ?? "none")
    try file.writeAttribute("noise", measured.noise.map { "\($0)" }.joined(separator: ","))
    if let mask = measured.mask { try file.writeAttribute("mask", mask) }
    if measured.isSimulated { try file.writeAttribute("simulated", Int64(1)) }
    if let condition { try file.writeAttribute("condition", condition) }
    try file.writeAttribute("method", method.name.rawValue)
    if let steps = setup.method.stepCount { try file.writeAttribute("steps", Int64(steps)) }
    try describe(settings(for: setup.model), of: setup.model, in: file)
    try file.writeAttribute("members", Int64(members))
    if first > 0 { try file.writeAttribute("first", Int64(first)) }
    try file.writeAttribute("seed", Int64(bitPattern: seed))
    try file.writeAttribute("evaluations", Int64(evaluations))
    try file.writeAttribute("checkpoint", setup.model.origin.checkpoint)
    try file.writeAttribute("weights", setup.model.origin.weights.rawValue)
  }

  /// Writes the options that the method reads, apart from the number of steps.
  private func describe(
    _ settings: RestorationSettings, of model: TrainedModel, in file: borrowing HDF5File
  ) throws(HDF5Error) {
    for option in RestorationOption.allCases where settings.name.options.contains(option) {
      let name = option.rawValue
      switch option {
      case .steps: break
      case .spacing:
        let isRead = settings.name != .pigdm || settings.sampler.options.contains(.spacing)
        if isRead && model.process.discrete != nil { try file.writeAttribute(name, settings.spacing.rawValue) }
      case .variance:
        // Otherwise it is the model's.
        if let variance = settings.variance { try file.writeAttribute(name, variance.rawValue) }
      case .corrections: try file.writeAttribute(name, Int64(settings.corrections))
      case .signalToNoise: try file.writeAttribute(name, settings.signalToNoise)
      case .jumpLength: try file.writeAttribute(name, Int64(settings.jumpLength))
      case .resamplings: try file.writeAttribute(name, Int64(settings.resamplings))
      case .scale: try file.writeAttribute(name, settings.scale)
      case .sampler: try file.writeAttribute(name, settings.sampler.rawValue)
      case .sigmaData: if settings.iterations == 0 { try file.writeAttribute(name, settings.sigmaData) }
      case .iterations: try file.writeAttribute(name, Int64(settings.iterations))
      case .strength: try file.writeAttribute(name, settings.strength)
      }
    }
  }
}
