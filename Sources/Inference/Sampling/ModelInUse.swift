import Configuration
import Files
import MessagePassing
import Network
import Ranks
import Reporting
import Tensors

/// Which trained model to use, and how.
public struct ModelRequest: Sendable {
  /// Which weights of a checkpoint to use: `ema`, `model`, or the decay of an average, such as `0.9999`.
  public enum Weights: RawRepresentable, Sendable, Equatable {
    /// The moving average (the first of `training.ema_decays`).
    case ema
    /// The moving average of this decay.
    case average(decay: Double)
    /// The parameters as they were at the last step.
    case model

    public init?(rawValue: String) {
      switch rawValue {
      case "ema": self = .ema
      case "model": self = .model
      default:
        guard let decay = Double(rawValue), (0..<1).contains(decay) else { return nil }
        self = .average(decay: decay)
      }
    }

    public var rawValue: String {
      switch self {
      case .ema: "ema"
      case .average(let decay): "\(decay)"
      case .model: "model"
      }
    }
  }

  /// A checkpoint, a run's folder or its folder of checkpoints.
  public var checkpoint: String
  public var weights = Weights.ema
  /// Images that go through the network together on a rank.
  public var batch = 32
  public var threads = 1

  public init(checkpoint: String) { self.checkpoint = checkpoint }
}

/// A trained model on all ranks.
struct ModelInUse {
  let configuration: RunConfiguration
  let network: UNet
  let parameters: Arena
  let trainingSteps: Int
  /// The file that it was read from.
  let path: String
  let batchSize: Int
  let communicator: Communicator
  let workers: WorkerPool
  let reporter: RunReporter
  private let limits: MemoryLimits

  /// Reads a model on every rank. Collective.
  /// - Parameter activations: what the network's passes take; it is checked first that there is memory.
  /// - Throws: `JobFailure` on all ranks.
  init(
    _ request: ModelRequest, activations: (ActivationCount) -> Double = \.inference, communicator: Communicator,
    reporter: RunReporter
  ) throws {
    let limits = try MemoryLimits(of: communicator)
    self.limits = limits
    let placement = try RankPlacement(of: communicator, threads: request.threads)
    if let misfit = placement.misfit { reporter.log.warning("\(misfit)") }
    workers = WorkerPool(threadCount: request.threads, placement: placement, rank: communicator.rank)
    let (model, path, problems) = try communicator.together {
      try CheckpointPlace.newest(at: request.checkpoint, option: "--checkpoint") {
        try TrainedModel.read($0, weights: request.weights) { network in
          try MemoryNeed.inference(network, batch: request.batch, option: "--batch", activations).require(limits)
        }
      }
    }
    for problem in problems { reporter.log.warning("\(problem); trying the one before") }
    try communicator.requireAlike("checkpoint", path)
    configuration = model.configuration
    network = model.network
    parameters = model.parameters
    trainingSteps = model.header.step
    self.path = path
    batchSize = request.batch
    self.communicator = communicator
    self.reporter = reporter
  }

  /// Checks that there is memory for a rank's share of images that are kept until all are there. Collective.
  /// - Parameters:
  ///   - copies: how many 32-bit floats are kept of each value of an image.
  ///   - option: what the number was given by.
  func requireMemory(forImages count: Int, copies: Double, option: String) throws {
    var need = MemoryNeed()
    let values = imageShape.reduce(1) { $0 * Double($1) }
    need.add(floats: Double(count) / Double(communicator.size) * copies * values, for: "the \(option) \(count) images")
    try communicator.together { try need.require(limits) }
  }

  /// [H, W, C].
  var imageShape: [Int] {
    [network.configuration.imageHeight, network.configuration.imageWidth, network.configuration.imageChannels]
  }

  var trainedNetwork: TrainedUNet { TrainedUNet(network: network, parameters: parameters, workers: workers) }

  /// This rank's share of `count` images, in batches.
  func batches(of count: Int) -> [Range<Int>] {
    let share = communicator.share(of: count)
    return stride(from: share.lowerBound, to: share.upperBound, by: batchSize).map {
      $0..<min($0 + batchSize, share.upperBound)
    }
  }
}
