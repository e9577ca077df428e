import Configuration
import DataParallel
import Differentiation
import Diffusion
import Failures
import MessagePassing
import Network
import Ranks
import Tensors
import Training

/// Times optimiser steps, a sampler's steps, or the start-up before the first step, for a preset's network on random
/// images, on all ranks.
package struct Benchmark {
  package enum Job: String, Sendable, CaseIterable {
    /// Optimiser steps.
    case train
    /// The network alone, as used by a sampler.
    case sample
    /// Everything before the first optimiser step.
    case start
  }

  /// The request of the command line.
  package struct Request: Sendable {
    /// A preset's name.
    package var preset: String
    /// `key=value` pairs of the model, of the training keys that affect speed, and of the channels of generated fields.
    package var settings: [String] = []
    /// Height and width of the images; by default those of the preset's data set.
    package var imageSize: Int?
    package var job = Job.train
    /// Images per step over all ranks; by default the preset's.
    package var batch: Int?
    /// By default the one that distributes the batch best; not used for sampling.
    package var microBatch: Int?
    /// Threads per rank.
    package var threads = 1
    /// The number of timed steps, after one warm-up step.
    package var steps = 5
    package var reduction = ReductionMethod.tree
    /// Whether to measure the operations of a step by kind.
    package var profiles = false

    package init(preset: String) {
      self.preset = preset
    }
  }

  package let request: Request
  /// Images per step over all ranks.
  package let batch: Int
  /// The number of images that pass through the network together; a maximum when sampling.
  package let microBatch: Int

  private let configuration: RunConfiguration
  private let network: UNet
  /// [H, W, C].
  private let imageShape: [Int]

  /// - Throws: `ConfigurationError` for keys and values, `InputError` for inconsistent numbers.
  package init(_ request: Request, rankCount: Int) throws {
    self.request = request
    var configuration = try Self.configuration(request)
    guard var shape = try Presets.named(request.preset).imageShape(for: configuration) else {
      throw ConfigurationError("data.name \(configuration.data.name) does not determine the shape of images")
    }
    if let size = request.imageSize { shape = [size, size, shape[2]] }
    imageShape = shape
    network = try configuration.network(height: shape[0], width: shape[1], channels: shape[2])
    batch = request.batch ?? configuration.training.batch
    microBatch = try Self.microBatch(request, batch: batch, rankCount: rankCount)
    configuration.training.batch = batch
    configuration.training.microBatch = microBatch
    self.configuration = configuration
  }

  private static let trainingKeys = [
    "training.recompute_activations", "training.overlap", "training.wire", "training.release_gradients",
  ]

  /// The preset with the request's settings.
  private static func configuration(_ request: Request) throws -> RunConfiguration {
    let sources = ConfigurationSources(preset: request.preset, settings: request.settings)
    // Other data have their own channels. An unknown preset is refused below.
    let hasAnyChannels = (try? Presets.named(request.preset))?.configuration.data.name == "gaussian-field"
    for setting in try sources.settingNames() {
      // An unknown key gets a suggestion below.
      guard let key = ConfigurationKey.named(setting.name), !key.name.hasPrefix("model."),
        !trainingKeys.contains(key.name), !(hasAnyChannels && key.name == "data.channels")
      else { continue }
      throw InputError(
        "\(setting.location): a benchmark accepts keys of model, \(trainingKeys.joined(separator: ", ")), and for "
          + "gaussian-field data.channels; use options for the rest")
    }
    return try sources.resolve()
  }

  // MARK: Measuring

  /// Sets up the job, runs one warm-up step and then the measured steps. Collective; the result is the same on all
  /// ranks, except for times, which differ by the duration of a barrier.
  package func run(communicator: Communicator) throws -> Result {
    let start = ContinuousClock.now
    let placement = try RankPlacement(of: communicator, threads: request.threads)
    let limits = try MemoryLimits(of: communicator)
    try communicator.together { try memoryNeed(rankCount: communicator.size).require(limits) }
    let workers = WorkerPool(threadCount: request.threads, placement: placement, rank: communicator.rank)
    let profiler = request.profiles ? Profiler() : nil
    let step =
      request.job == .sample
      ? try samplingStep(communicator, workers, profiler)
      : try trainingStep(communicator, workers, placement, profiler)
    try communicator.barrier()
    let setupSeconds = start.secondsUntilNow
    let seconds = request.job == .start ? nil : try time(communicator, profiler, step)
    let memory = try communicator.allReduceSum(ResidentMemory.ownPeak)
    var profile: Profile?
    if let profiler, let seconds {
      // Peaks are measured last, since their buffers would count as the job's memory.
      profile = Profile(
        profiler.totals, secondsPerStep: seconds, images: images(ofRank: communicator.rank, of: communicator.size),
        peaks: try Peaks.measure(communicator, workers))
    }
    return Result(
      self, network: network, ranks: communicator.size, setupSeconds: setupSeconds, secondsPerStep: seconds,
      peakResidentBytes: memory, placement: placement, profile: profile)
  }

  /// The memory needed on each rank.
  func memoryNeed(rankCount: Int) -> MemoryNeed {
    request.job == .sample
      ? MemoryNeed.inference(network, batch: microBatch, option: "--batch \(batch), on a rank")
      : configuration.trainingMemory(network.layout, network.configuration, rankCount: rankCount)
  }

  /// What is timed.
  private struct Step {
    let run: (_ number: Int) throws -> Void
    /// Called after the last step. Collective.
    var finish: () throws -> Void = {}
  }

  /// The number of images of one step on a rank.
  private func images(ofRank rank: Int, of rankCount: Int) -> Int {
    request.job == .sample
      ? batch * (rank + 1) / rankCount - batch * rank / rankCount
      : MicroBatchTree(leafCount: batch / microBatch).leafRanges(ofRanks: rankCount)[rank].count * microBatch
  }

  private func trainingStep(
    _ communicator: Communicator, _ workers: WorkerPool, _ placement: RankPlacement, _ profiler: Profiler?
  ) throws -> Step {
    var arrangement = DataParallelTrainer.Arrangement(configuration.training, grid: placement.grid)
    arrangement.reduction = request.reduction
    let trainer = try DataParallelTrainer(
      configuration: configuration, task: try DenoisingTask(configuration: configuration, network: network),
      communicator: communicator, workers: workers, arrangement: arrangement, profiler: profiler)
    return Step(
      run: { step in
        _ = try trainer.step(step) { samples in
          let images = profiler.measure(.imageDrawing) { randomImages(count: samples.count, first: samples.lowerBound) }
          return TrainingSamples(
            images: images, conditions: .generated(for: network.configuration, samples: samples))
        }
      }, finish: trainer.settle)
  }

  private func samplingStep(_ communicator: Communicator, _ workers: WorkerPool, _ profiler: Profiler?) throws -> Step {
    let parameters = Arena(network.layout)
    network.initialise(parameters, seed: 0, workers: workers)
    let trained = TrainedUNet(network: network, parameters: parameters, workers: workers, profiler: profiler)
    let share = images(ofRank: communicator.rank, of: communicator.size)
    let conditions = Conditions.generated(for: network.configuration, samples: 0..<share)
    let images = randomImages(count: share, first: 0)
    let model = try configuration.modelDescription()
    let times = model.process.times
    let networkTime = Float(model.networkTime(at: (times.lowerBound + times.upperBound) / 2))
    return Step(run: { _ in
      _ = trained.output(images, times: [Float](repeating: networkTime, count: share), conditions: conditions)
    })
  }

  /// The time of each measured step, which ends when the last rank has finished it.
  private func time(_ communicator: Communicator, _ profiler: Profiler?, _ step: Step) throws -> [Double] {
    var seconds: [Double] = []
    for number in 0...request.steps {
      try communicator.barrier()
      if number <= 1 { profiler?.reset() }
      let start = ContinuousClock.now
      try step.run(number)
      try profiler.measure(.waiting) { try communicator.barrier() }
      if number > 0 { seconds.append(start.secondsUntilNow) }
    }
    try step.finish()
    return seconds
  }

  private func randomImages(count: Int, first: Int) -> Tensor {
    Latents.draw(shape: [count] + imageShape, seed: 1, firstImage: first)
  }
}

// MARK: The batch

extension Benchmark {
  private static func microBatch(_ request: Request, batch: Int, rankCount: Int) throws -> Int {
    guard batch >= rankCount else {
      throw InputError(
        "--batch \(batch) leaves some of the \(rankCount) ranks without an image; use at least \(rankCount)")
    }
    guard request.job != .sample else { return (batch + rankCount - 1) / rankCount }
    let microBatch =
      request.microBatch ?? bestMicroBatch(batch: batch, rankCount: rankCount, threads: request.threads)
    guard batch.isMultiple(of: microBatch) else {
      throw InputError("--batch \(batch) is not a multiple of --micro-batch \(microBatch)")
    }
    guard batch / microBatch >= rankCount else {
      throw InputError(
        "--batch \(batch) with --micro-batch \(microBatch) is too small for \(rankCount) ranks; "
          + "each needs at least one micro-batch")
    }
    return microBatch
  }

  /// Among the divisors of the batch up to 16 images per thread, the micro-batch size with which the busiest rank has
  /// the fewest images; if there are several, the largest.
  private static func bestMicroBatch(batch: Int, rankCount: Int, threads: Int) -> Int {
    func imagesOfBusiestRank(_ size: Int) -> Int { (batch / size + rankCount - 1) / rankCount * size }
    let divisors = (1...16 * threads).filter { batch.isMultiple(of: $0) && batch / $0 >= rankCount }
    return divisors.reversed().min { imagesOfBusiestRank($0) < imagesOfBusiestRank($1) } ?? 1
  }
}
