import Configuration
import Diffusion
import Failures
import Images
import MessagePassing
import Network
import Tensors

/// Draws images with all ranks sharing the work. An image depends on the seed and its own number alone.
public struct ImageDrawing {
  public let network: UNet
  public let model: ModelDescription
  public let samplerName: SamplerName
  public let sampler: any Sampler
  /// See `NetworkDenoiser.clipsOriginal`.
  public let clipsInDenoiser: Bool
  public let conditions: ClassConditions
  public let seed: UInt64
  public let communicator: Communicator
  public let workers: WorkerPool
  /// Images that go through the network together.
  public let batchSize: Int

  /// - Parameters:
  ///   - configuration: what the network was trained with.
  ///   - settings: the sampler's; by default the run's.
  ///   - conditions: the images' classes; by default all in turn, if the network has any.
  /// - Throws: `DiffusionError` for settings that cannot work.
  public init(
    network: UNet, configuration: RunConfiguration, settings: SamplerSettings? = nil,
    conditions: ClassConditions? = nil, seed: UInt64, batchSize: Int = 32, communicator: Communicator,
    workers: WorkerPool
  ) throws {
    let settings = settings ?? configuration.samplerSettings
    self.network = network
    model = try configuration.modelDescription()
    sampler = try settings.sampler(for: try configuration.process())
    samplerName = settings.name
    let conditions = try conditions ?? ClassConditions(configuration: configuration)
    self.conditions = conditions
    // Guided noise is more than what is left of x beside a clipped image. `ddim`, which would keep it as it is, would
    // have more of it from step to step.
    clipsInDenoiser = settings.clipsInDenoiser || (settings.clipsOriginal && conditions.guidance != 0)
    try Self.check(settings, model)
    self.seed = seed
    self.batchSize = batchSize
    self.communicator = communicator
    self.workers = workers
  }

  /// A variance can be read only from a network that was trained to tell it.
  private static func check(_ settings: SamplerSettings, _ model: ModelDescription) throws(DiffusionError) {
    guard settings.variance.isLearned, settings.variance != model.variance else { return }
    throw DiffusionError(
      key: "variance",
      problem: "\(settings.variance.rawValue) needs a model that was trained with diffusion.variance="
        + "\(settings.variance.rawValue); this one's is \(model.variance.rawValue)")
  }

  /// [H, W, C].
  public var imageShape: [Int] {
    [network.configuration.imageHeight, network.configuration.imageWidth, network.configuration.imageChannels]
  }

  /// The images that a rank draws, of `count` altogether.
  public func share(of count: Int, rank: Int) -> Range<Int> {
    communicator.share(of: count, rank: rank)
  }

  /// What a rank drew.
  public struct Share: Sendable {
    /// [share, H, W, C], about in [−1, 1].
    public let images: Tensor
    /// How often the network looked at an image, the most over all ranks' images.
    public let evaluations: Int
  }

  /// Images that went through the network together.
  public struct Batch: Sendable {
    public let numbers: Range<Int>
    /// x_T, [numbers.count, H, W, C].
    public let latents: Tensor
    /// [numbers.count, H, W, C], about in [−1, 1].
    public let images: Tensor
  }

  /// This rank's share of `count` images. Collective.
  ///
  /// - Parameters:
  ///   - parameters: the weights to draw with.
  ///   - progress: called with (steps done, steps in all) over this rank's batches.
  /// - Throws: `JobFailure` on all ranks if an image is not finite, or the sampler gives up on one.
  public func drawShare(
    of count: Int, parameters: Arena, progress: ((Int, Int) -> Void)? = nil
  ) throws -> Share {
    let share = share(of: count, rank: communicator.rank)
    let size = imageShape.reduce(1, *)
    let images = Tensor(uninitialised: [share.count] + imageShape)
    let evaluations = try draw(0..<count, parameters: parameters, progress: progress) { batch in
      (images.pointer + (batch.numbers.lowerBound - share.lowerBound) * size)
        .update(from: batch.images.pointer, count: batch.images.count)
    }
    return Share(images: images, evaluations: evaluations)
  }

  /// Draws images, this rank its share of them, and hands over each batch as it is drawn. Collective.
  ///
  /// - Parameters:
  ///   - numbers: which of all images that the seed makes.
  ///   - parameters: the weights to draw with.
  ///   - latents: x_T of a range of images, [range.count, H, W, C]; by default drawn from the seed.
  ///   - progress: called with (steps done, steps in all) over this rank's batches.
  ///   - way: called for each batch with where its images are, before the first step and after each, with the number of
  ///     steps done; not if the sampler has no steps of its own. Like `take` it must not communicate.
  ///   - take: called for one batch after the other.
  /// - Returns: how often the network looked at an image, the most over all ranks' images.
  /// - Throws: `JobFailure` on all ranks if an image is not finite, or `latents` or `take` throws on one.
  public func draw(
    _ numbers: Range<Int>, parameters: Arena, latents: ((_ range: Range<Int>) throws -> Tensor)? = nil,
    progress: ((Int, Int) -> Void)? = nil, way: ((_ range: Range<Int>, _ done: Int, Tensor) throws -> Void)? = nil,
    take: (Batch) throws -> Void
  ) throws -> Int {
    let share = share(of: numbers.count, rank: communicator.rank)
    let trained = TrainedUNet(network: network, parameters: parameters, workers: workers)
    let batchCount = (share.count + batchSize - 1) / batchSize
    // A sampler without steps of its own tells percents.
    let steps = sampler.stepCount ?? 100
    var evaluations = 0
    try communicator.together {
      for batch in 0..<batchCount {
        let places = share.dropFirst(batch * batchSize).prefix(batchSize)
        let range = numbers.lowerBound + places.lowerBound..<numbers.lowerBound + places.upperBound
        let start = try latents?(range) ?? drawLatents(range)
        let denoiser = NetworkDenoiser(
          network: trained, model: model, guidance: conditions.guidance(for: range), clipsOriginal: clipsInDenoiser)
        try way?(range, 0, start)
        // The sampler's own way takes no errors.
        var failure: (any Error)?
        let drawn = try sampler.sample(
          from: DoubleTensor(start), denoiser: denoiser, noise: SamplerNoise(seed: seed, firstImage: range.lowerBound)
        ) { step in
          progress?(batch * steps + step.done, batchCount * steps)
          guard let way, failure == nil, let images = step.images else { return }
          do { try way(range, step.done, images.single) } catch { failure = error }
        }
        if let failure { throw failure }
        evaluations = max(evaluations, drawn.evaluations * denoiser.guidance.evaluationsPerEstimate)
        let images = drawn.images.single
        guard images.isFinite else {
          throw RunError(.notFinite, "a drawn image has values that are not finite: the weights have diverged")
        }
        try take(Batch(numbers: range, latents: start, images: images))
      }
    }
    return try communicator.allReduceMaximum(evaluations)
  }

  /// The latents of images number `range`, from the seed.
  func drawLatents(_ range: Range<Int>) -> Tensor {
    Latents.draw(shape: [range.count] + imageShape, seed: seed, firstImage: range.lowerBound)
  }

  /// All `count` images on every rank, from the shares. Collective.
  public func gather(_ share: Tensor, count: Int) throws -> Tensor {
    let size = imageShape.reduce(1, *)
    let shares = (0..<communicator.size).map { self.share(of: count, rank: $0) }
    let all = Tensor(uninitialised: [count] + imageShape)
    (all.pointer + shares[communicator.rank].lowerBound * size).update(from: share.pointer, count: share.count)
    try communicator.allGather(shares.map { $0.lowerBound * size..<$0.upperBound * size }, of: all.buffer)
    return all
  }
}

extension Tensor {
  /// Whether no element is infinite or not a number.
  var isFinite: Bool { (0..<count).allSatisfy { pointer[$0].isFinite } }
}

/// Images in [−1, 1] as bytes, value 127.5·(x + 1) rounded; what lies outside the range is cut off.
public func quantise(_ images: Tensor) -> [UInt8] {
  (0..<images.count).map { index in
    let value = ((images.pointer[index] + 1) * 127.5).rounded()
    return UInt8(max(0, min(value, 255)))
  }
}

/// The images [N, H, W, C] as a sheet.
/// - Parameter columns: by default so many that it is about as wide as high.
public func sampleGrid(_ images: Tensor, columns: Int? = nil) -> Image {
  let (count, height, width, channels) = (images.shape[0], images.shape[1], images.shape[2], images.shape[3])
  let columns = columns ?? Int(Double(count).squareRoot().rounded(.up))
  return ImageGrid.arrange(
    quantise(images), count: count, height: height, width: width, channels: channels, columns: columns)
}
