import Configuration
import Differentiation
import Diffusion
import Foundation
import Jobs
import Kernels
import MessagePassing
import Network
import Optimisation
import Tensors
import Training

/// Measures what `ClusterModel` wants to know of this machine, in a process of its own.
struct MachineMeasurement {
  let configuration: RunConfiguration
  let network: UNet
  /// [H, W, C].
  let imageShape: [Int]
  let communicator: Communicator

  func run() throws -> ClusterModel.Machine {
    let alone = WorkerPool(threadCount: 1)
    let cores = ProcessorSet.usable.count
    let trainer = try DataParallelTrainer(
      configuration: configuration, task: try DenoisingTask(configuration: configuration, network: network),
      communicator: communicator, workers: alone)
    let parameters = try trainer.parameters()
    let gradients = Arena(network.layout)
    let settled = Self.peakResidentBytes()
    let most = configuration.training.microBatch
    let one = passes(parameters, gradients, images: 1, alone)
    let many = most > 1 ? passes(parameters, gradients, images: most, alone) : one
    let activations = Double(Self.peakResidentBytes() - settled) / Double(most)
    let everywhere = cores > 1 ? passes(parameters, gradients, images: most, WorkerPool(threadCount: cores)) : many

    // Amdahl's share from the speed-up on all cores of this machine.
    let ratio = everywhere.total / many.total
    let serialShare = cores > 1 ? min(1, max(0, (ratio - 1 / Double(cores)) / (1 - 1 / Double(cores)))) : 0
    return ClusterModel.Machine(
      forward: Self.line(one.forward, many.forward, images: most),
      backward: Self.line(one.backward, many.backward, images: most), serialShare: serialShare,
      updateSecondsPerFloat: try updateSeconds(trainer, gradients) / Double(network.layout.arenaCount),
      copiedBytesPerSecond: try Peaks.measure(communicator, alone).copiedBytesPerSecond,
      allCoresCopiedBytesPerSecond: try Peaks.measure(communicator, WorkerPool(threadCount: cores)).copiedBytesPerSecond,
      activationBytesPerImage: max(0, activations))
  }

  private static func line(_ one: Double, _ many: Double, images: Int) -> ClusterModel.PassTime {
    guard images > 1 else { return .init(perPass: 0, perImage: one) }
    let perImage = (many - one) / Double(images - 1)
    return perImage > 0 ? .init(perPass: max(0, one - perImage), perImage: perImage) : .init(perPass: 0, perImage: one)
  }

  /// The median of some passes after one to warm up.
  private func passes(
    _ parameters: Arena, _ gradients: Arena, images count: Int, _ workers: WorkerPool
  ) -> (forward: Double, backward: Double, total: Double) {
    let images = Latents.draw(shape: [count] + imageShape, seed: 1, firstImage: 0)
    let classes = network.configuration.classCount == nil ? nil : [Int?](repeating: 0, count: count)
    let times = [Float](repeating: 500, count: count)
    var results: [(forward: Double, backward: Double)] = []
    for repetition in 0...3 {
      let start = ContinuousClock.now
      let tape = Tape(
        recordingWith: parameters, gradients: gradients, workers: workers,
        convolutionMethod: network.configuration.convolutionMethod)
      let output = network(tape.input(images), timesteps: times, classes: classes, dropout: nil, on: tape)
      let middle = ContinuousClock.now
      tape.unwind(from: output, seed: output.value)
      if repetition > 0 { results.append((start.duration(to: middle).inSeconds, middle.secondsUntilNow)) }
    }
    let forward = results.map(\.forward).sorted()[1]
    let backward = results.map(\.backward).sorted()[1]
    return (forward, backward, forward + backward)
  }

  private func updateSeconds(_ trainer: DataParallelTrainer, _ gradients: Arena) throws -> Double {
    var seconds: [Double] = []
    for repetition in 0...2 {
      let start = ContinuousClock.now
      let norm = try trainer.gradientNorm(gradients.pointer)
      try trainer.update(gradients: gradients.pointer, norm: norm, step: 0)
      trainer.updateAverages()
      if repetition > 0 { seconds.append(start.secondsUntilNow) }
    }
    return seconds.min() ?? 0
  }

  private static func peakResidentBytes() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}
