import Checkpoints
import Configuration
import Datasets
import Diffusion
import Foundation
import HDF5
import Images
import Jobs
import MessagePassing
import Network
import Tensors

/// Draws images from a checkpoint into an HDF5 file, all ranks sharing the work and writing their part.
public struct SampleJob: Sendable {
  public var model: ModelRequest
  public var count: Int
  public var seed: UInt64 = 0
  public var sampler = SamplerChoice()
  public var conditions = ClassConditions.Request()
  /// A classifier that guides: a checkpoint of `train-classifier`, or its run's folder.
  public var classifier: String?
  /// A file with a dataset `latents`, float32 [count, H, W, C], to start from.
  public var latents: String?
  /// The file to write.
  public var output: String
  /// Whether to write the images before they are made bytes, and their latents, too.
  public var writesFloats = false
  /// A PNG file to write besides.
  public var grid: String?

  public init(_ model: ModelRequest, count: Int, output: String) {
    self.model = model
    self.count = count
    self.output = output
  }

  /// Collective.
  public func run(communicator: Communicator) throws {
    let reporter = RunReporter(isSpeaking: communicator.rank == 0)
    // An error's message must not be written into a live line.
    defer { reporter.finish() }
    let model = try ModelInUse(
      model, writing: [output, grid].compactMap(\.self), communicator: communicator, reporter: reporter)
    let drawing = try communicator.together {
      do {
        return try ImageDrawing(
          network: model.network, configuration: model.configuration,
          settings: sampler.settings(for: model.configuration),
          conditions: try ClassConditions(
            conditions, configuration: model.configuration, classifier: try loadClassifier(for: model)), seed: seed,
          batchSize: model.batchSize, communicator: communicator, workers: model.workers)
      } catch let error as DiffusionError {
        throw InputError("--\(error)")
      }
    }
    let start = try communicator.together { try latents.map { try startingPoints($0, drawing) } }
    let way = drawing.sampler.stepCount.map { ProgressFormat.count($0, of: "step") } ?? "steps chosen by the error"
    reporter.message(
      "Drawing \(ProgressFormat.count(count, of: "image")) from \(model.path) by \(drawing.samplerName.rawValue) in \(way)."
    )
    let share = try drawing.drawShare(
      of: count, parameters: model.parameters, latents: start,
      progress: { done, steps in
        reporter.show(SamplingProgress(imageCount: count, step: done, stepCount: steps), isMilestone: false)
      })
    try write(share, latents: start, drawing, model.path, communicator)
    if let grid {
      let images = try drawing.gather(share.images, count: count)
      try communicator.together {
        if communicator.rank == 0 { try PNG.write(sampleGrid(images), to: grid) }
      }
    }
    reporter.clear()
    reporter.message(
      "Wrote \(output)\(grid.map { " and \($0)" } ?? ""); "
        + "\(ProgressFormat.count(share.evaluations, of: "evaluation")) of the network per image.")
  }

  private func loadClassifier(
    for model: ModelInUse
  ) throws -> (any NoisyClassifier & Sendable, classCount: Int)? {
    guard let classifier else { return nil }
    let (loaded, _, _) = try CheckpointPlace.newest(at: classifier, option: "--classifier") {
      try TrainedClassifierModel.read($0, weights: .ema)
    }
    try loaded.check(fits: model.configuration, imageShape: model.imageShape)
    let trained = TrainedClassifier(network: loaded.network, parameters: loaded.parameters, workers: model.workers)
    return (trained, loaded.network.classCount)
  }

  private func write(
    _ share: ImageDrawing.Share, latents: ((Range<Int>) throws -> Tensor)?, _ drawing: ImageDrawing,
    _ checkpoint: String, _ communicator: Communicator
  ) throws {
    let range = drawing.share(of: count, rank: communicator.rank)
    let bytes = quantise(share.images)
    let starts = writesFloats ? try communicator.together { try latents?(range) ?? drawing.drawLatents(range) } : nil
    let file = try HDF5File.create(output, communicator: communicator)
    let images = ImageFile(path: output, imageShape: drawing.imageShape)
    try bytes.withUnsafeBytes { try images.write($0.baseAddress, .uint8, "images", range, of: count, to: file) }
    if let starts {
      try images.write(share.images.pointer, .float32, "samples", range, of: count, to: file)
      try images.write(starts.pointer, .float32, "latents", range, of: count, to: file)
      withExtendedLifetime((share, starts)) {}
    }
    if drawing.conditions.classes != nil {
      let labels = range.map { Int64(drawing.conditions.classOf(image: $0) ?? -1) }
      try images.write(labels, "labels", range, of: count, to: file)
      try file.writeAttribute("guidance", drawing.conditions.guidance)
    }
    try file.writeAttribute("seed", Int64(bitPattern: seed))
    try file.writeAttribute("sampler", drawing.samplerName.rawValue)
    if let steps = drawing.sampler.stepCount { try file.writeAttribute("steps", Int64(steps)) }
    try file.writeAttribute("evaluations", Int64(share.evaluations))
    try file.writeAttribute("checkpoint", checkpoint)
    try file.writeAttribute("weights", model.weights.rawValue)
    try file.close()
  }

  /// Checks the file of latents, and returns how to read a range of them.
  private func startingPoints(_ path: String, _ drawing: ImageDrawing) throws -> (Range<Int>) throws -> Tensor {
    let file = ImageFile(path: path, imageShape: drawing.imageShape)
    _ = try file.count(of: "latents", option: "--latents", expecting: count)
    return { try file.read("latents", $0, option: "--latents") }
  }
}
