import Configuration
import Diffusion
import Failures
import Foundation
import HDF5
import Images
import MessagePassing
import Network
import Reporting
import Tensors

/// Draws images from a checkpoint into an HDF5 file; all ranks share the work and write their parts.
package struct SampleJob: Sendable {
  package var model: ModelRequest
  package var count: Int
  /// The index of the first image; image k is the same in every drawing with the same seed.
  package var first = 0
  package var seed: UInt64 = 0
  /// The classes of images in turn; by default all classes, if there are any.
  package var classes: [Int?]?
  /// A classifier for guidance: a checkpoint of `train-classifier`, or its run's folder.
  package var classifier: String?
  /// A file with a dataset `latents`, float32 [N, H, W, C], to start from: row k is the starting point of image k.
  package var latents: String?
  package var outputs = ImageOutputs()

  package init(_ model: ModelRequest, count: Int) {
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
    let start = try communicator.together { try latents.map { try startingPoints($0, model.imageShape) } }
    let steps = drawing.sampler.stepCount.map { ProgressFormat.count($0, of: "step") } ?? "steps chosen by the error"
    reporter.message(
      "Drawing \(ProgressFormat.count(count, of: "image")) from \(model.origin.checkpoint) by "
        + "\(model.samplerName.rawValue) in \(steps).")
    let trajectory = try communicator.together { try self.trajectory(of: drawing) }
    var contents: ImageWriter.Contents = outputs.writesFloats ? [.samples, .latents] : []
    if drawing.conditions.classes != nil { contents.insert(.labels) }
    let writer = try ImageWriter(
      outputs, count: count, imageShape: model.imageShape, contents: contents, frameCount: trajectory?.count,
      first: first, communicator: communicator)
    let evaluations = try writer.write { writer in
      try drawing.draw(
        first..<first + count, latents: start, reporter: reporter,
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
      "Wrote \(outputs.description); \(ProgressFormat.count(evaluations, of: "evaluation")) of the network per image.")
  }

  private func drawing(_ model: TrainedModel, _ communicator: Communicator) throws -> ImageDrawing {
    try namingOptions {
      let conditions = try ClassConditions(
        classes: classes, configuration: model.configuration, classifier: try loadClassifier(for: model))
      return try ImageDrawing(
        model, conditions: conditions, seed: seed, batchSize: self.model.batch, communicator: communicator)
    }
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
    guard outputs.grid == nil || trajectory.count <= capacity else {
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
    if drawing.conditions.classes != nil { try file.writeAttribute("guidance", drawing.conditions.guidance) }
    if first > 0 { try file.writeAttribute("first", Int64(first)) }
    try file.writeAttribute("seed", Int64(bitPattern: seed))
    try file.writeAttribute("sampler", drawing.model.samplerName.rawValue)
    if let steps = drawing.sampler.stepCount { try file.writeAttribute("steps", Int64(steps)) }
    try file.writeAttribute("evaluations", Int64(evaluations))
    try file.writeAttribute("checkpoint", drawing.model.origin.checkpoint)
    try file.writeAttribute("weights", drawing.model.origin.weights.rawValue)
  }

  /// Checks the file of latents, and returns a closure that reads a range of them.
  private func startingPoints(_ path: String, _ imageShape: [Int]) throws -> (Range<Int>) throws -> Tensor {
    let file = try LatentFile(path, imageShape: imageShape)
    // A later part of a drawing uses the matching rows of the file.
    let needed = first + count
    guard first > 0 ? file.count >= needed : file.count == needed else {
      throw InputError(
        "--latents \(path): `latents` is float32 \([file.count] + imageShape), but float32 "
          + "\([needed] + imageShape)\(first > 0 ? " or more" : "") is needed")
    }
    return file.read
  }
}
