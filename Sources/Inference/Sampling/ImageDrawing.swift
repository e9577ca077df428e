import Configuration
import Diffusion
import Failures
import Images
import MessagePassing
import Network
import Reporting
import Tensors

/// Draws images, shared among all ranks. An image depends only on the seed, its index and, with given channels, on its
/// condition and its number among the members of that.
package struct ImageDrawing {
  package let model: TrainedModel
  package let sampler: any Sampler
  package let conditions: DrawConditions
  package let seed: UInt64
  package let communicator: Communicator
  /// The number of images that pass through the network together.
  package let batchSize: Int

  /// - Parameters:
  ///   - model: the model, which also determines the sampler.
  ///   - conditions: what the images are drawn for; by default all classes in turn, if the network has any.
  /// - Throws: `DiffusionError` for settings that are not possible, and without given channels that the network needs.
  package init(
    _ model: TrainedModel, conditions: DrawConditions? = nil, seed: UInt64, batchSize: Int = 32,
    communicator: Communicator
  ) throws(DiffusionError) {
    self.model = model
    sampler = try model.configuration.sampling.sampler(for: model.process, variance: model.description.variance)
    self.conditions =
      if let conditions { conditions } else {
        try DrawConditions(isOfFields: model.fields != nil, configuration: model.configuration)
      }
    self.seed = seed
    self.batchSize = batchSize
    self.communicator = communicator
  }

  /// The result of a rank's drawing.
  package struct Share: Sendable {
    /// [share, H, W, C], approximately in [−1, 1].
    package let images: Tensor
    /// Network evaluations per image, the maximum over all ranks' images.
    package let evaluations: Int
  }

  /// Draws this rank's share of `count` images. Collective.
  ///
  /// - Parameter reporter: shows the steps done over this rank's batches.
  /// - Throws: `JobFailure` on all ranks if an image is not finite, or the sampler fails.
  package func drawShare(of count: Int, reporter: RunReporter? = nil) throws -> Share {
    let share = communicator.share(of: count)
    let images = Tensor(uninitialised: [share.count] + model.imageShape)
    let evaluations = try draw(0..<count, reporter: reporter) { batch in
      images[batch.numbers.moved(by: -share.lowerBound)].copy(batch.images)
    }
    return Share(images: images, evaluations: evaluations)
  }

  /// Draws images, shared among all ranks, and passes on each batch when it is drawn. Collective.
  ///
  /// - Parameters:
  ///   - numbers: the indices of the images; the seed determines the image for each index. With M members of each
  ///     condition, member m of condition i has the index i · M + m.
  ///   - latents: returns x_T of a range of images, [range.count, H, W, C]; by default drawn from the seed.
  ///   - group: the number of consecutive images that the same rank draws, in one batch or several.
  ///   - reporter: shows the steps done over this rank's batches.
  ///   - trajectory: called for each batch with the current images before the first step and after each step, and with the
  ///     number of steps done; not called if the sampler has no common steps. Like `take` it must not communicate.
  ///   - take: called for each batch in order.
  /// - Returns: network evaluations per image, the maximum over all ranks' images.
  /// - Throws: `JobFailure` on all ranks if an image is not finite, or `latents` or `take` throws on any.
  func draw(
    _ numbers: Range<Int>, latents: ((_ range: Range<Int>) throws -> Tensor)? = nil,
    group: Int = 1, reporter: RunReporter?,
    trajectory: ((_ range: Range<Int>, _ done: Int, Tensor) throws -> Void)? = nil,
    take: (ImageBatch) throws -> Void
  ) throws -> Int {
    let batches = communicator.batches(of: numbers.count, size: batchSize, group: group)
    let clips = model.configuration.sampling.clipsInDenoiser(for: model.process)
    // A sampler without common steps reports per cent.
    let steps = sampler.stepCount ?? 100
    var evaluations = 0
    try communicator.together {
      for (batch, rows) in batches.enumerated() {
        let range = rows.moved(by: numbers.lowerBound)
        let draws = range.map(conditions.draw)
        let start =
          try latents?(range) ?? Latents.draw(shape: [range.count] + model.imageShape, seed: seed, draws: draws)
        let given = try conditions.given(for: range)
        let denoiser = model.denoiser(conditions.guidance(for: range, given: given), clipsOriginal: clips)
        try trajectory?(range, 0, start)
        // The sampler's callback cannot throw.
        var failure: (any Error)?
        let drawn = try sampler.sample(
          from: DoubleTensor(start), denoiser: denoiser, noise: SamplerNoise(seed: seed, draws: draws)
        ) { step in
          let progress = SamplingProgress(
            imageCount: numbers.count, of: model.noun, step: batch * steps + step.done,
            stepCount: batches.count * steps)
          reporter?.show(progress, isMilestone: false)
          guard let trajectory, failure == nil, let images = step.images else { return }
          do { try trajectory(range, step.done, images.single) } catch { failure = error }
        }
        if let failure { throw failure }
        evaluations = max(evaluations, drawn.evaluations * denoiser.guidance.evaluationsPerEstimate)
        let images = drawn.images.single
        guard images.isFinite else {
          throw RunError(.notFinite, "a drawn \(model.noun) has values that are not finite: the weights have diverged")
        }
        try take(
          ImageBatch(
            numbers: range, images: images, latents: start, labels: range.map(conditions.classOf), given: given))
      }
    }
    return try communicator.allReduceMaximum(evaluations)
  }

  /// All `count` images, from the shares of all ranks, on rank 0; nil on other ranks. Collective.
  package func gather(_ share: Tensor, count: Int) throws -> Tensor? {
    let size = model.imageShape.reduce(1, *)
    let all = communicator.rank == 0 ? Tensor(uninitialised: [count] + model.imageShape) : nil
    let parts = communicator.shares(of: count).map { $0.lowerBound * size..<$0.upperBound * size }
    try communicator.gather(share, as: parts, of: all, to: 0)
    return all
  }

  /// A sheet of the first images.
  /// - Parameter images: those with the indices 0, 1 …, [N, H, W, C].
  /// - Throws: `DatasetError`, `InputError` if their conditions cannot be read, or a sheet cannot hold them.
  package func sheet(_ images: Tensor) throws -> Image {
    guard let fields = model.fields else { return sampleGrid(images) }
    return try fields.sheet(images, given: conditions.given(for: 0..<images.shape[0]))
  }
}

/// Converts images in [−1, 1] to bytes, 127.5·(x + 1) rounded; values outside of the range are clamped.
package func quantise(_ images: Tensor) -> [UInt8] {
  (0..<images.count).map { index in
    let value = ((images[index] + 1) * 127.5).rounded()
    return UInt8(max(0, min(value, 255)))
  }
}

/// The images [N, H, W, C] as a sheet that is about square.
package func sampleGrid(_ images: Tensor) -> Image {
  let shape = images.shape
  return ImageGrid.arrange(quantise(images), count: shape[0], height: shape[1], width: shape[2], channels: shape[3])
}
