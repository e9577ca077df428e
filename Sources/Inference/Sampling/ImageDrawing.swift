import Configuration
import Diffusion
import Images
import Jobs
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

  /// This rank's share of `count` images. Collective.
  ///
  /// - Parameters:
  ///   - parameters: the weights to draw with.
  ///   - latents: x_T of images number `range`, [range.count, H, W, C]; by default drawn from the seed.
  ///   - progress: called with (steps done, steps in all) over this rank's batches.
  /// - Throws: `JobFailure` on all ranks if an image is not finite, or the sampler gives up on one.
  public func drawShare(
    of count: Int, parameters: Arena, latents: ((_ range: Range<Int>) throws -> Tensor)? = nil,
    progress: ((Int, Int) -> Void)? = nil
  ) throws -> Share {
    let share = share(of: count, rank: communicator.rank)
    let size = imageShape.reduce(1, *)
    let images = Tensor(uninitialised: [share.count] + imageShape)
    let trained = TrainedUNet(network: network, parameters: parameters, workers: workers)
    let batchCount = (share.count + batchSize - 1) / batchSize
    // A sampler without steps of its own tells percents.
    let steps = sampler.stepCount ?? 100
    var evaluations = 0
    try communicator.together {
      for batch in 0..<batchCount {
        let first = share.lowerBound + batch * batchSize
        let range = first..<min(first + batchSize, share.upperBound)
        let start = try latents?(range) ?? drawLatents(range)
        let denoiser = NetworkDenoiser(
          network: trained, model: model, guidance: conditions.guidance(for: range), clipsOriginal: clipsInDenoiser)
        let drawn = try sampler.sample(
          from: DoubleTensor(start), denoiser: denoiser, noise: SamplerNoise(seed: seed, firstImage: range.lowerBound)
        ) { progress?(batch * steps + $0, batchCount * steps) }
        evaluations = max(evaluations, drawn.evaluations * denoiser.guidance.evaluationsPerEstimate)
        let single = drawn.images.single
        let place = (range.lowerBound - share.lowerBound) * size
        (images.pointer + place).update(from: single.pointer, count: single.count)
      }
      guard images.isFinite else {
        throw RunError(.notFinite, "a drawn image has values that are not finite: the weights have diverged")
      }
    }
    return Share(images: images, evaluations: Int(try communicator.allReduceMaximum(Int64(evaluations))))
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
    try communicator.allGatherVariable(
      inPlace: all.pointer, counts: shares.map { $0.count * size }, displacements: shares.map { $0.lowerBound * size })
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
