import Configuration
import Diffusion
import Failures
import HDF5
import Images
import MessagePassing
import Network
import Reporting
import Tensors

/// Draws images or fields from a checkpoint into an HDF5 file; all ranks share the work and write their parts.
package struct SampleJob: Sendable {
  package var model: ModelRequest
  /// The number of images or, with conditions, of conditions; nil for all conditions.
  package var count: Int?
  /// The index of the first image or condition; image k is the same in every drawing with the same seed.
  package var first = 0
  /// The file of the conditions, for a model that is given channels.
  package var condition: String?
  /// The number of images for each condition. Member m of condition i depends on the seed, i and m alone.
  package var members = 1
  package var seed: UInt64 = 0
  /// The classes of images in turn; by default all classes, if there are any.
  package var classes: [Int?]?
  /// A classifier for guidance: a checkpoint of `train-classifier`, or its run's folder.
  package var classifier: String?
  /// A file with a dataset `latents`, float32 [N, H, W, C], to start from: row k is the starting point of image k. With
  /// M members, that of member m of condition i is row i · M + m.
  package var latents: String?
  package var outputs = ImageOutputs()

  package init(_ model: ModelRequest, count: Int? = nil) {
    self.model = model
    self.count = count
  }

  /// Collective.
  package func run(communicator: Communicator) throws {
    let reporter = RunReporter(isSpeaking: communicator.rank == 0)
    // An error's message must not be written into a live line.
    defer { reporter.finish() }
    let model = try TrainedModel(model, communicator: communicator, reporter: reporter)
    let drawing = try communicator.together { try self.drawing(model, communicator) }
    if let given = drawing.conditions.given {
      try communicator.requireAlike(
        "--condition", "a file with the fingerprint \(String(given.fingerprint, radix: 16))")
    }
    let drawn = try communicator.together { try drawnSet(drawing.conditions) }
    let start = try communicator.together {
      try latents.map { try startingPoints($0, model.imageShape, end: drawn.numbers.upperBound) }
    }
    let steps = drawing.sampler.stepCount.map { ProgressFormat.count($0, of: "step") } ?? "adaptive steps"
    reporter.message(
      "Drawing \(drawn.description(noun: model.noun)) from \(model.origin.checkpoint) by "
        + "\(model.samplerName.rawValue) in \(steps).")
    let trajectory = try communicator.together { try self.trajectory(of: drawing) }
    var contents: ImageWriter.Contents = outputs.writesFloats ? [.samples, .latents] : []
    if drawing.conditions.classes != nil { contents.insert(.labels) }
    let writer = try outputs.writer(
      for: model, drawn, contents: contents, frameCount: trajectory?.count, communicator: communicator)
    let evaluations = try writer.write {
      try drawing.draw(
        drawn.numbers, latents: start, reporter: reporter,
        trajectory: trajectory.map { trajectory in
          { range, done, images in
            guard let picture = trajectory.firstIndex(of: done), picture < trajectory.count - 1 else { return }
            try writer.writeTrajectory(images, range, picture: picture)
          }
        },
        take: { batch in
          if let trajectory {
            try writer.writeTrajectory(batch.images, batch.numbers, picture: trajectory.count - 1)
          }
          try writer.write(batch)
        })
    } describe: { file, evaluations in
      try describe(drawing, evaluations: evaluations, in: file)
    }
    reporter.clear()
    reporter.message(
      "Wrote \(outputs.description); \(ProgressFormat.count(evaluations, of: "evaluation")) of the network per "
        + "\(model.noun).")
  }

  private func drawing(_ model: TrainedModel, _ communicator: Communicator) throws -> ImageDrawing {
    try namingOptions {
      let conditions = try DrawConditions(
        classes: classes, given: condition.map { try GivenFields($0, for: model) }, members: members,
        isOfFields: model.fields != nil, configuration: model.configuration, classifier: loadClassifier(for: model))
      return try ImageDrawing(
        model, conditions: conditions, seed: seed, batchSize: self.model.batch, communicator: communicator)
    }
  }

  /// The images to draw.
  /// - Throws: `InputError` if there are not as many conditions.
  private func drawnSet(_ conditions: DrawConditions) throws(InputError) -> DrawnSet {
    guard let given = conditions.given, let condition else {
      guard let count else { throw InputError("--count is missing: give the number of samples to draw") }
      return DrawnSet(first: first, count: count)
    }
    guard first < given.count else {
      throw InputError("--first is \(first), but the conditions of \(condition) are 0 to \(given.count - 1)")
    }
    let count = count ?? given.count - first
    guard count <= given.count - first else {
      throw InputError(
        "--count is \(count), but \(condition) has \(ProgressFormat.count(given.count - first, of: "condition"))"
          + (first > 0 ? " from --first \(first) on" : ""))
    }
    return DrawnSet(first: first, count: count, members: members)
  }

  /// The step counts at which a picture of the sampling process is taken, if requested: 0, every `every`-th, and the
  /// last.
  /// - Throws: `InputError` if the sampler has no common steps, or there are too many pictures for a sheet.
  private func trajectory(of drawing: ImageDrawing) throws(InputError) -> [Int]? {
    guard let every = outputs.every else { return nil }
    guard let steps = drawing.sampler.stepCount else {
      throw InputError(
        "--every: \(drawing.model.samplerName.rawValue) chooses its steps by the error, differently for each image")
    }
    let trajectory = Array(stride(from: 0, to: steps, by: every)) + [steps]
    let shape = drawing.model.imageShape
    let capacity = ImageGrid.capacity(height: shape[0], width: shape[1])
    guard outputs.grid == nil || drawing.model.fields != nil || trajectory.count <= capacity else {
      throw InputError("--every \(every) gives \(trajectory.count) pictures per image, more than fit in a row")
    }
    return trajectory
  }

  private func loadClassifier(
    for model: TrainedModel
  ) throws -> (any NoisyClassifier & Sendable, classCount: Int)? {
    guard let classifier else { return nil }
    let (loaded, _, _) = try CheckpointLookup.newest(at: classifier, option: "--classifier") {
      try TrainedClassifierModel(reading: $0, weights: .ema)
    }
    try loaded.check(fits: model.configuration, imageShape: model.imageShape)
    let trained = TrainedClassifier(network: loaded.network, parameters: loaded.parameters, workers: model.workers)
    return (trained, loaded.network.classCount)
  }

  private func describe(_ drawing: ImageDrawing, evaluations: Int, in file: borrowing HDF5File) throws {
    let conditions = drawing.conditions
    if conditions.classes != nil || conditions.given != nil { try file.writeAttribute("guidance", conditions.guidance) }
    if let condition {
      try file.writeAttribute("condition", condition)
      try file.writeAttribute("members", Int64(members))
    }
    if first > 0 { try file.writeAttribute("first", Int64(first)) }
    try file.writeAttribute("seed", Int64(bitPattern: seed))
    try file.writeAttribute("sampler", drawing.model.samplerName.rawValue)
    if let steps = drawing.sampler.stepCount { try file.writeAttribute("steps", Int64(steps)) }
    try file.writeAttribute("evaluations", Int64(evaluations))
    try file.writeAttribute("checkpoint", drawing.model.origin.checkpoint)
    try file.writeAttribute("weights", drawing.model.origin.weights.rawValue)
  }

  /// Checks the file of latents, and returns a closure that reads a range of them.
  /// - Parameter needed: the end of the range of all.
  private func startingPoints(
    _ path: String, _ imageShape: [Int], end needed: Int
  ) throws -> (Range<Int>) throws -> Tensor {
    let file = try LatentFile(path, imageShape: imageShape)
    // A later part of a drawing uses the matching rows of the file.
    guard first > 0 ? file.count >= needed : file.count == needed else {
      throw InputError(
        "--latents \(path): `latents` is float32 \([file.count] + imageShape), but float32 "
          + "\([needed] + imageShape)\(first > 0 ? " or more" : "") is needed")
    }
    return file.read
  }
}
