import Checkpoints
import Datasets
import Diffusion
import Foundation
import HDF5
import Images
import MessagePassing
import Tensors

/// Draws images from a checkpoint into an HDF5 file, all ranks sharing the work and writing their part.
public struct SampleJob: Sendable {
  /// Which weights of a checkpoint to draw with.
  public enum Weights: String, Sendable, CaseIterable {
    /// The moving average (the first of `training.ema_decays`).
    case ema
    /// The parameters as they were at the last step.
    case model
  }

  /// A checkpoint, a run's folder or its folder of checkpoints.
  public var checkpoint: String
  public var count: Int
  public var seed: UInt64 = 0
  /// By default `ddpm`, or for processes in continuous time what suits them.
  public var sampler: SamplerName?
  /// Sampling steps; by default the run's `sampling.steps`.
  public var steps: Int?
  /// Of `ddim`.
  public var eta: Double?
  /// Which steps of a discrete process are visited.
  public var spacing: StepSpacing?
  /// Langevin steps at each time, and how strong their noise is: of `predictor-corrector` and `langevin`.
  public var corrections: Int?
  public var signalToNoise: Double?
  /// Of `ode-rk45`.
  public var tolerance: Double?
  /// Of the reverse steps of `ddpm`; by default the run's.
  public var variance: ReverseVariance?
  public var conditions = ClassConditions.Request()
  /// Images that go through the network together on a rank.
  public var batch = 32
  public var weights = Weights.ema
  /// A file with a dataset `latents`, float32 [count, H, W, C], to start from.
  public var latents: String?
  /// The file to write.
  public var output: String
  /// Whether to write the images before they are made bytes, and their latents, too.
  public var writesFloats = false
  /// A PNG file to write besides.
  public var grid: String?
  public var threads = 1

  public init(checkpoint: String, count: Int, output: String) {
    self.checkpoint = checkpoint
    self.count = count
    self.output = output
  }

  /// Collective.
  public func run(communicator: Communicator) throws {
    let reporter = RunReporter(isSpeaking: communicator.rank == 0)
    // An error's message must not be written into a live line.
    defer { reporter.finish() }
    let placement = try RankPlacement(of: communicator, threads: threads)
    if let misfit = placement.misfit { reporter.log.warning("\(misfit)") }
    let workers = WorkerPool(threadCount: threads, placement: placement, rank: communicator.rank)
    let (model, path, problems) = try communicator.together {
      if communicator.rank == 0 { for file in [output, grid].compactMap({ $0 }) { try checkWritable(file) } }
      return try TrainedModel.load(from: checkpoint, weights: weights)
    }
    for problem in problems { reporter.log.warning("\(problem); trying the one before") }
    try communicator.requireAlike("checkpoint", path)
    try communicator.requireShared(folder: URL(fileURLWithPath: output).deletingLastPathComponent().path)
    let drawing = try communicator.together {
      do {
        return try ImageDrawing(
          network: model.network, configuration: model.configuration, settings: settings(model.configuration),
          conditions: try ClassConditions(conditions, configuration: model.configuration), seed: seed, batchSize: batch,
          communicator: communicator, workers: workers)
      } catch let error as DiffusionError {
        throw InputError("--\(error)")
      }
    }
    let start = try communicator.together { try latents.map { try readLatents($0, drawing) } }
    let way = drawing.sampler.stepCount.map { ProgressFormat.count($0, of: "step") } ?? "steps chosen by the error"
    reporter.message(
      "Drawing \(ProgressFormat.count(count, of: "image")) from \(path) by \(drawing.samplerName.rawValue) in \(way).")
    let share = try drawing.drawShare(
      of: count, parameters: model.parameters, latents: start,
      progress: { done, steps in
        reporter.show(SamplingProgress(imageCount: count, step: done, stepCount: steps), isMilestone: false)
      })
    try write(share, latents: start, drawing, path, communicator)
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

  /// The run's settings, with what the command line changes.
  private func settings(_ configuration: RunConfiguration) -> SamplerSettings {
    var settings = configuration.samplerSettings
    if let sampler { settings.name = sampler }
    if let steps { settings.steps = steps }
    if let eta { settings.eta = eta }
    if let spacing { settings.spacing = spacing }
    if let corrections { settings.corrections = corrections }
    if let signalToNoise { settings.signalToNoise = signalToNoise }
    if let tolerance { settings.tolerance = tolerance }
    if let variance { settings.variance = variance }
    return settings
  }

  private func write(
    _ share: ImageDrawing.Share, latents: ((Range<Int>) throws -> Tensor)?, _ drawing: ImageDrawing,
    _ checkpoint: String, _ communicator: Communicator
  ) throws {
    let range = drawing.share(of: count, rank: communicator.rank)
    let bytes = quantise(share.images)
    let starts = writesFloats ? try communicator.together { try latents?(range) ?? drawing.drawLatents(range) } : nil
    let file = try HDF5File.create(output, communicator: communicator)
    try bytes.withUnsafeBytes { try write($0.baseAddress, .uint8, "images", range, drawing, to: file) }
    if let starts {
      try write(share.images.pointer, .float32, "samples", range, drawing, to: file)
      try write(starts.pointer, .float32, "latents", range, drawing, to: file)
      withExtendedLifetime((share, starts)) {}
    }
    if drawing.conditions.classes != nil {
      let labels = range.map { Int64(drawing.conditions.classOf(image: $0) ?? -1) }
      let dataset = try file.createDataset("labels", shape: [count], type: .int64)
      try labels.withUnsafeBytes { try dataset.write(flatRange: range, from: $0.baseAddress, collective: true) }
      try dataset.close()
      try file.writeAttribute("guidance", drawing.conditions.guidance)
    }
    try file.writeAttribute("seed", Int64(bitPattern: seed))
    try file.writeAttribute("sampler", drawing.samplerName.rawValue)
    if let steps = drawing.sampler.stepCount { try file.writeAttribute("steps", Int64(steps)) }
    try file.writeAttribute("evaluations", Int64(share.evaluations))
    try file.writeAttribute("checkpoint", checkpoint)
    try file.writeAttribute("weights", weights.rawValue)
    try file.close()
  }

  /// This rank's images of a dataset of all.
  private func write(
    _ values: UnsafeRawPointer?, _ type: ElementType, _ name: String, _ range: Range<Int>, _ drawing: ImageDrawing,
    to file: borrowing HDF5File
  ) throws {
    let size = drawing.imageShape.reduce(1, *)
    let dataset = try file.createDataset(name, shape: [count] + drawing.imageShape, type: type)
    try dataset.write(flatRange: range.lowerBound * size..<range.upperBound * size, from: values, collective: true)
    try dataset.close()
  }

  /// Checks the file of latents, and returns how to read a range of them.
  private func readLatents(_ path: String, _ drawing: ImageDrawing) throws -> (Range<Int>) throws -> Tensor {
    let shape = [count] + drawing.imageShape
    func open() throws -> HDF5File {
      do { return try HDF5File.open(path) } catch { throw InputError("--latents \(error)") }
    }
    let file = try open()
    guard try file.exists("latents") else {
      throw InputError("--latents \(path): it has no dataset `latents`, float32 \(shape)")
    }
    let dataset = try file.openDataset("latents")
    guard dataset.shape == shape, dataset.type == .float32 else {
      throw InputError(
        "--latents \(path): `latents` is \(dataset.type.rawValue) \(dataset.shape), but float32 \(shape) is needed")
    }
    let size = drawing.imageShape.reduce(1, *)
    return { range in
      let file = try open()
      let dataset = try file.openDataset("latents")
      let tensor = Tensor(uninitialised: [range.count] + drawing.imageShape)
      try dataset.read(flatRange: range.lowerBound * size..<range.upperBound * size, into: tensor.pointer)
      return tensor
    }
  }
}
