import Datasets
import Diffusion
import Foundation
import MessagePassing
import Network
import Tensors

/// Times optimiser steps, or a sampler's steps, of a preset's network on random images, all ranks together.
public struct Benchmark {
  public enum Job: String, Sendable, CaseIterable {
    case train
    case sample
  }

  /// What was measured. The keys of its JSON are those of common PyTorch baselines.
  public struct Result: Sendable, Codable {
    public let job: String
    public let preset: String
    public let parameters: Int
    public let ranks: Int
    public let threads: Int
    public let batch: Int
    public let microBatch: Int
    /// Seconds of each step, shortest first.
    public let secondsPerStep: [Double]
    public let imagesPerSecondMedian: Double
    public let imagesPerSecondBest: Double
    /// Peak resident memory of all ranks together, in units of 2³⁰ bytes.
    public let peakResidentGigabytes: Double

    enum CodingKeys: String, CodingKey {
      case job, preset, parameters, ranks, threads, batch
      case microBatch = "micro_batch"
      case secondsPerStep = "seconds_per_step"
      case imagesPerSecondMedian = "images_per_second_median"
      case imagesPerSecondBest = "images_per_second_best"
      case peakResidentGigabytes = "peak_resident_gb"
    }
  }

  public let preset: Preset
  public let job: Job
  /// Images per step over all ranks.
  public let batch: Int
  public let microBatch: Int
  public let threads: Int
  public let steps: Int

  /// - Parameters:
  ///   - batch: images per step over all ranks; by default the preset's.
  ///   - microBatch: by default what shares the batch out best; sampling has none.
  /// - Throws: `InputError` if the numbers do not fit together.
  public init(
    preset: Preset, job: Job, batch: Int?, microBatch: Int?, threads: Int, steps: Int, rankCount: Int
  ) throws {
    self.preset = preset
    self.job = job
    self.threads = threads
    self.steps = steps
    let batch = batch ?? preset.configuration.training.batch
    self.batch = batch
    guard batch >= rankCount else {
      throw InputError(
        "--batch \(batch) leaves some of the \(rankCount) ranks without an image; give at least \(rankCount)")
    }
    guard job == .train else {
      self.microBatch = (batch + rankCount - 1) / rankCount
      return
    }
    self.microBatch = microBatch ?? Self.bestMicroBatch(batch: batch, rankCount: rankCount)
    guard batch.isMultiple(of: self.microBatch) else {
      throw InputError("--batch \(batch) is not a multiple of --micro-batch \(self.microBatch)")
    }
    guard batch / self.microBatch >= rankCount else {
      throw InputError(
        "--batch \(batch) in pieces of --micro-batch \(self.microBatch) is too little for \(rankCount) ranks; "
          + "give each at least one piece")
    }
  }

  /// Of the micro-batches up to 16 that divide the batch, the one with which the busiest rank has the fewest images, and
  /// of several such the largest.
  private static func bestMicroBatch(batch: Int, rankCount: Int) -> Int {
    func imagesOfBusiestRank(_ size: Int) -> Int { (batch / size + rankCount - 1) / rankCount * size }
    let divisors = (1...16).filter { batch.isMultiple(of: $0) && batch / $0 >= rankCount }
    return divisors.reversed().min { imagesOfBusiestRank($0) < imagesOfBusiestRank($1) } ?? 1
  }

  private var configuration: RunConfiguration {
    var configuration = preset.configuration
    configuration.training.batch = batch
    configuration.training.microBatch = microBatch
    return configuration
  }

  /// Runs one step to warm up and then the measured ones. Collective; the result is the same on all ranks.
  public func run(communicator: Communicator) throws -> Result {
    guard let shape = DatasetCatalog.imageShape(name: preset.configuration.data.name) else {
      throw ConfigurationError("data.name \(preset.configuration.data.name) is unknown")
    }
    let network = try configuration.network(height: shape[0], width: shape[1], channels: shape[2])
    let workers = WorkerPool(threadCount: threads)
    let seconds =
      job == .train
      ? try timeTraining(network, shape, communicator, workers)
      : try timeSampling(network, shape, communicator, workers)
    let sorted = seconds.sorted()
    let memory = try communicator.allReduceSum(Int64(Self.peakResidentBytes()))
    return Result(
      job: job.rawValue, preset: preset.name, parameters: network.layout.parameterCount, ranks: communicator.size,
      threads: threads, batch: batch, microBatch: microBatch,
      secondsPerStep: sorted.map { ($0 * 10_000).rounded() / 10_000 },
      imagesPerSecondMedian: (Double(batch) / sorted[sorted.count / 2] * 1000).rounded() / 1000,
      imagesPerSecondBest: (Double(batch) / sorted[0] * 1000).rounded() / 1000,
      peakResidentGigabytes: (Double(memory) / Double(1 << 30) * 1000).rounded() / 1000)
  }

  private func timeTraining(
    _ network: UNet, _ shape: [Int], _ communicator: Communicator, _ workers: WorkerPool
  ) throws -> [Double] {
    let trainer = DataParallelTrainer(
      configuration: configuration, network: network, communicator: communicator, workers: workers)
    let objective = NoisePredictionObjective(process: try configuration.process())
    return try time(communicator) { step in
      var losses: [Double] = []
      for index in trainer.averaging.run {
        let first = trainer.samples(ofMicroBatch: index).lowerBound
        let images = randomImages(count: microBatch, shape, first: first)
        let inputs = objective.draw(images: images, seed: 0, step: step, firstSample: first, workers: workers)
        losses.append(trainer.accumulateGradients(inputs, microBatch: index, step: step))
      }
      let gradients = try trainer.averaging.finish()
      _ = try trainer.totalLoss(losses)
      try trainer.update(gradients: gradients, norm: try trainer.gradientNorm(gradients), step: step)
      trainer.updateAverages()
    }
  }

  private func timeSampling(
    _ network: UNet, _ shape: [Int], _ communicator: Communicator, _ workers: WorkerPool
  ) throws -> [Double] {
    let parameters = Arena(network.layout)
    network.initialise(parameters, seed: 0, workers: workers)
    let denoiser = UNetDenoiser(network: network, parameters: parameters, workers: workers)
    let rank = communicator.rank
    let share = batch * (rank + 1) / communicator.size - batch * rank / communicator.size
    var images = randomImages(count: share, shape, first: 0)
    return try time(communicator) { _ in
      if share > 0 { images = try denoiser.predictNoise(images, timesteps: [Float](repeating: 500, count: share)) }
    }
  }

  /// The time of each measured step, which ends when the last rank has ended it.
  private func time(_ communicator: Communicator, _ body: (_ step: Int) throws -> Void) throws -> [Double] {
    var seconds: [Double] = []
    for step in 0...steps {
      try communicator.barrier()
      let start = ContinuousClock.now
      try body(step)
      try communicator.barrier()
      if step > 0 { seconds.append(start.secondsUntilNow) }
    }
    return seconds
  }

  private func randomImages(count: Int, _ shape: [Int], first: Int) -> Tensor {
    Latents.draw(shape: [count] + shape, seed: 1, firstImage: first)
  }

  private static func peakResidentBytes() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}
