import Checkpoints
import Datasets
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
  /// Sampling steps; by default the run's `sampling.steps`.
  public var steps: Int?
  /// Images that go through the network together on a rank.
  public var batch = 32
  public var weights = Weights.ema
  /// A file with a dataset `latents`, float32 [count, H, W, C], to start from.
  public var latents: String?
  /// The file to write.
  public var output: String
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
      ImageDrawing(
        network: model.network, sampler: try model.configuration.sampler(steps: steps), seed: seed,
        batchSize: batch, communicator: communicator, workers: workers)
    }
    let start = try communicator.together { try latents.map { try readLatents($0, drawing) } }
    let stepCount = drawing.sampler.timesteps.count
    reporter.message(
      "Drawing \(ProgressFormat.count(count, of: "image")) from \(path) in "
        + "\(ProgressFormat.count(stepCount, of: "step")).")
    let share = try drawing.drawShare(
      of: count, parameters: model.parameters, latents: start,
      progress: { done, steps in
        reporter.show(SamplingProgress(imageCount: count, step: done, stepCount: steps), isMilestone: false)
      })
    try write(share, drawing, path, communicator)
    if let grid {
      let images = try drawing.gather(share, count: count)
      try communicator.together {
        if communicator.rank == 0 { try PNG.write(sampleGrid(images), to: grid) }
      }
    }
    reporter.clear()
    reporter.message("Wrote \(output)\(grid.map { " and \($0)" } ?? "").")
  }

  private func write(
    _ share: Tensor, _ drawing: ImageDrawing, _ checkpoint: String, _ communicator: Communicator
  ) throws {
    let range = drawing.share(of: count, rank: communicator.rank)
    let size = drawing.imageShape.reduce(1, *)
    let bytes = quantise(share)
    let file = try HDF5File.create(output, communicator: communicator)
    let dataset = try file.createDataset("images", shape: [count] + drawing.imageShape, type: .uint8)
    try bytes.withUnsafeBytes { buffer in
      try dataset.write(
        flatRange: range.lowerBound * size..<range.upperBound * size, from: buffer.baseAddress, collective: true)
    }
    try dataset.close()
    try file.writeAttribute("seed", Int64(bitPattern: seed))
    try file.writeAttribute("steps", Int64(drawing.sampler.timesteps.count))
    try file.writeAttribute("checkpoint", checkpoint)
    try file.writeAttribute("weights", weights.rawValue)
    try file.close()
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
