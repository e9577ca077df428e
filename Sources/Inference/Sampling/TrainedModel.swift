import Checkpoints
import Configuration
import Datasets
import Diffusion
import Failures
import MessagePassing
import Network
import Ranks
import Reporting
import Tensors

/// A trained model, ready for use: a network with its weights, its training configuration, and the sampling settings.
package struct TrainedModel {
  /// The origin of the weights.
  package struct Origin: Sendable {
    /// The checkpoint's path.
    package let checkpoint: String
    package let weights: ModelRequest.Weights
    /// The number of optimiser steps done.
    package let trainingSteps: Int
    /// The number of images seen in training.
    package let trainingImages: Int

    package init(checkpoint: String, weights: ModelRequest.Weights, trainingSteps: Int, trainingImages: Int) {
      self.checkpoint = checkpoint
      self.weights = weights
      self.trainingSteps = trainingSteps
      self.trainingImages = trainingImages
    }
  }

  package let origin: Origin
  package let configuration: RunConfiguration
  package let network: UNet
  package let parameters: Arena
  package let workers: WorkerPool
  package let process: any ForwardProcess
  /// How the network's input is computed and its output interpreted.
  package let description: ModelDescription
  /// What the channels are, for fields; nil for images.
  package let fields: FieldDescription?

  /// - Parameter parameters: must not change while the model is in use.
  /// - Throws: `DiffusionError` if the configuration's process is invalid.
  package init(
    _ configuration: RunConfiguration, network: UNet, parameters: Arena, fields: FieldDescription? = nil,
    workers: WorkerPool, origin: Origin
  ) throws(DiffusionError) {
    self.origin = origin
    self.fields = fields
    self.configuration = configuration
    self.network = network
    self.parameters = parameters
    self.workers = workers
    process = try configuration.process()
    description = try configuration.modelDescription()
  }

  /// The shape of what is drawn, [H, W, C].
  package var imageShape: [Int] {
    [network.configuration.imageHeight, network.configuration.imageWidth, network.configuration.imageChannels]
  }

  /// The number of channels that the network is given besides those that it draws.
  package var conditionChannels: Int { network.configuration.conditionChannels }

  /// The word for what is drawn, in messages.
  package var noun: String { fields == nil ? "image" : "field" }

  /// - Throws: `InputError` if the model draws fields, for which there is no such purpose.
  func requireImages(for purpose: String) throws(InputError) {
    if fields == nil { return }
    throw InputError(
      "--checkpoint \(origin.checkpoint): \(purpose) are for models of images, but this one draws fields")
  }

  /// The sampler that is used.
  package var samplerName: SamplerName { configuration.sampling.name(for: process) }

  /// The network as used by samplers and likelihoods.
  /// - Parameter clipsOriginal: see `NetworkDenoiser`.
  package func denoiser(_ guidance: Guidance = .none, clipsOriginal: Bool = false) -> NetworkDenoiser<TrainedUNet> {
    NetworkDenoiser(
      network: TrainedUNet(network: network, parameters: parameters, workers: workers), model: description,
      guidance: guidance, clipsOriginal: clipsOriginal)
  }
}

extension TrainedModel {
  /// Reads a checkpoint in this process alone.
  /// - Parameters:
  ///   - keys: sampling keys that override the checkpoint's configuration.
  ///   - check: called with the network before its weights are read; its errors are rethrown.
  /// - Throws: `CheckpointError`, `InputError` if it is not a denoiser, and `ConfigurationError` for invalid keys.
  package init(
    reading path: String, weights: ModelRequest.Weights, keys: [KeyOption] = [],
    workers: WorkerPool = .callingThread,
    checking check: (UNet) throws -> Void = { try MemoryNeed.inference($0, batch: 1, option: "").require(.alone) }
  ) throws {
    let checkpoint = try OpenCheckpoint(path)
    try self.init(
      checkpoint.details, weights: weights, keys: keys, workers: workers, checking: check,
      parameters: checkpoint.parameters)
  }

  /// - Parameter parameters: returns the weights in a group of the checkpoint.
  private init(
    _ checkpoint: CheckpointDetails, weights: ModelRequest.Weights, keys: [KeyOption], workers: WorkerPool,
    checking check: (UNet) throws -> Void, parameters read: (_ group: String, ParameterLayout) throws -> Arena
  ) throws {
    let (path, header) = (checkpoint.path, checkpoint.header)
    guard header.kind == .denoiser else {
      throw InputError("--checkpoint \(path): this is a classifier, which draws no images; use it with --classifier")
    }
    let drawing = try checkpoint.configuration.drawing(with: keys)
    let shape = header.imageShape
    let network = try ConfigurationError.found(in: path) {
      try checkpoint.configuration.network(height: shape[0], width: shape[1], channels: shape[2])
    }
    try check(network)
    let parameters = try read(checkpoint.group(of: weights), network.layout)
    try self.init(
      drawing, network: network, parameters: parameters, fields: checkpoint.fields, workers: workers,
      origin: Origin(
        checkpoint: path, weights: weights, trainingSteps: header.step, trainingImages: header.images))
  }

  /// Reads a checkpoint on rank 0 and sends it to all ranks: however many there are, the file system has to provide it
  /// once. Collective.
  /// - Parameter activations: the memory needs of the network's passes, which are checked first.
  /// - Throws: `JobFailure` on all ranks.
  init(
    _ request: ModelRequest, activations: (ActivationCount) -> Double = \.inference, communicator: Communicator,
    reporter: RunReporter
  ) throws {
    let limits = try MemoryLimits(of: communicator)
    let placement = try RankPlacement(of: communicator, threads: request.threads)
    if let misfit = placement.misfit { reporter.log.warning("\(misfit)") }
    let workers = WorkerPool(threadCount: request.threads, placement: placement, rank: communicator.rank)
    let read = try communicator.onRankZero {
      try CheckpointLookup.newest(at: request.checkpoint, option: "--checkpoint") {
        path -> (model: TrainedModel, header: CheckpointHeader) in
        let checkpoint = try OpenCheckpoint(path)
        let model = try TrainedModel(
          checkpoint.details, weights: request.weights, keys: request.keys, workers: workers,
          checking: { try Self.checkMemory(for: $0, request, activations, limits) }, parameters: checkpoint.parameters)
        return (model, checkpoint.details.header)
      }
    }
    let found = try communicator.broadcast(
      encoding: read.map { FoundCheckpoint(path: $0.path, header: $0.0.header, problems: $0.problems) }, from: 0)
    self = try communicator.together { () throws -> TrainedModel in
      if let read { return read.0.model }
      return try TrainedModel(
        CheckpointDetails(path: found.path, header: found.header), weights: request.weights, keys: request.keys,
        workers: workers, checking: { try Self.checkMemory(for: $0, request, activations, limits) },
        parameters: { _, layout in Arena(layout) })
    }
    try communicator.broadcast(parameters.buffer, from: 0)
    for problem in found.problems { reporter.log.warning("\(problem); trying the previous one") }
  }

  private static func checkMemory(
    for network: UNet, _ request: ModelRequest, _ activations: (ActivationCount) -> Double, _ limits: MemoryLimits
  ) throws(InputError) {
    try MemoryNeed.inference(network, batch: request.batch, option: "--batch", activations).require(limits)
  }
}

/// The checkpoint that rank 0 has chosen.
private struct FoundCheckpoint: Codable {
  let path: String
  let header: CheckpointHeader
  /// Those of newer checkpoints.
  let problems: [String]
}
