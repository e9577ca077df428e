import Configuration
import DataParallel
import Differentiation
import Diffusion
import Kernels
import MessagePassing
import Network
import Ranks
import Tensors
import Threads
import Training

/// Measures the properties of this machine for `ClusterModel`, in one process. While one thread is measured, all other
/// cores do the same work, as in a real job: they then share caches and memory, and may run at a lower clock rate.
struct MachineMeasurement {
  let configuration: RunConfiguration
  let network: UNet
  /// [H, W, C].
  let imageShape: [Int]
  let communicator: Communicator

  func run() throws -> ClusterModel.Machine {
    let alone = WorkerPool(threadCount: 1)
    let cores = ProcessorSet.usable.count
    // A step of one image has the same update as any other.
    var single = configuration
    single.training.batch = 1
    single.training.microBatch = 1
    let profiler = Profiler()
    let trainer = try DataParallelTrainer(
      configuration: single, task: try DenoisingTask(configuration: single, network: network),
      communicator: communicator, workers: alone, profiler: profiler)
    let parameters = try trainer.parameters()
    let gradients = Arena(network.layout)
    let settled = ResidentMemory.peak
    let maximum = configuration.training.microBatch
    // Alone first, to allocate memory and to warm up.
    _ = passes(parameters, gradients, images: maximum, alone, repetitions: 0)
    let activations = Double(ResidentMemory.peak - settled) / Double(maximum)

    // Half of the memory is for the gradients and activations of the other threads. If it is not enough, each has a
    // single image, and there are only as many threads as it is enough for.
    let count = cores - 1
    let memory = Double(AvailableMemory.bytes ?? .max) / 2
    func bytes(images: Int) -> Double { activations * Double(images) + Double(4 * network.layout.arenaCount) }
    let images = Double(count) * bytes(images: maximum) < memory ? maximum : 1
    let affordable = Int(min(Double(count), memory / bytes(images: images)))
    let companions = Companions(count: affordable) {
      let own = Arena(network.layout)
      return { _ = passes(parameters, own, images: images, WorkerPool.callingThread, repetitions: 0) }
    }
    let one = passes(parameters, gradients, images: 1, alone)
    let many = maximum > 1 ? passes(parameters, gradients, images: maximum, alone) : one
    let update = try updateSeconds(trainer, profiler) / Double(network.layout.arenaCount)
    companions.stop()
    let everywhere = cores > 1 ? passes(parameters, gradients, images: maximum, WorkerPool(threadCount: cores)) : many

    // The serial fraction follows from the speed-up on all cores of this machine.
    let ratio = everywhere.total / many.total
    let serialShare = cores > 1 ? min(1, max(0, (ratio - 1 / Double(cores)) / (1 - 1 / Double(cores)))) : 0
    return ClusterModel.Machine(
      forward: Self.line(one.forward, many.forward, images: maximum),
      backward: Self.line(one.backward, many.backward, images: maximum), serialShare: serialShare,
      updateSecondsPerFloat: update,
      copiedBytesPerSecond: try Peaks.measure(communicator, alone).copiedBytesPerSecond,
      allCoresCopiedBytesPerSecond: try Peaks.measure(communicator, WorkerPool(threadCount: cores))
        .copiedBytesPerSecond,
      activationBytesPerImage: max(0, activations))
  }

  private static func line(_ one: Double, _ many: Double, images: Int) -> ClusterModel.PassTime {
    guard images > 1 else { return .init(perPass: 0, perImage: one) }
    let perImage = (many - one) / Double(images - 1)
    return perImage > 0 ? .init(perPass: max(0, one - perImage), perImage: perImage) : .init(perPass: 0, perImage: one)
  }

  /// The time in seconds after which long passes are not repeated any more: they vary less than short ones.
  private static let patience = 10.0

  /// The median of some passes after one warm-up pass; zeros if there are none.
  private func passes(
    _ parameters: Arena, _ gradients: Arena, images count: Int, _ workers: WorkerPool, repetitions: Int = 3
  ) -> (forward: Double, backward: Double, total: Double) {
    let images = Latents.draw(shape: [count] + imageShape, seed: 1, firstImage: 0)
    let conditions = Conditions.generated(for: network.configuration, samples: 0..<count)
    let times = [Float](repeating: 500, count: count)
    var results: [(forward: Double, backward: Double)] = []
    let begin = ContinuousClock.now
    for repetition in 0...repetitions where results.isEmpty || begin.secondsUntilNow < Self.patience {
      let start = ContinuousClock.now
      let tape = Tape(
        recordingWith: parameters, gradients: gradients, workers: workers, arithmetic: network.arithmetic)
      let output = network(
        tape.input(images), timesteps: times, conditions: conditions, dropout: nil,
        recomputesBlocks: configuration.training.recomputeActivations == .blocks, on: tape)
      let middle = ContinuousClock.now
      tape.unwind(from: output, seed: output.value)
      if repetition > 0 { results.append((start.duration(to: middle).inSeconds, middle.secondsUntilNow)) }
    }
    guard !results.isEmpty else { return (0, 0, 0) }
    let forward = results.map(\.forward).sorted()[results.count / 2]
    let backward = results.map(\.backward).sorted()[results.count / 2]
    return (forward, backward, forward + backward)
  }

  /// The time of the parts of a step that follow the backward pass.
  private func updateSeconds(_ trainer: DataParallelTrainer, _ profiler: Profiler) throws -> Double {
    let parts: [Profiler.Kind] = [.gradientNorm, .adam, .movingAverages]
    var seconds: [Double] = []
    for step in 0...2 {
      profiler.reset()
      _ = try trainer.step(step) { samples in
        TrainingSamples(
          images: Latents.draw(shape: [samples.count] + imageShape, seed: 1, firstImage: samples.lowerBound),
          conditions: .generated(for: network.configuration, samples: samples))
      }
      if step > 0 { seconds.append(parts.reduce(0) { $0 + (profiler.totals[$1]?.seconds ?? 0) }) }
    }
    return seconds.min() ?? 0
  }
}

/// Threads that repeat some work until they are stopped.
private struct Companions {
  private struct State {
    var isStopping = false
    var running: Int
  }

  private let state: Monitor<State>

  /// - Parameter prepare: called once for each thread; returns the work to repeat.
  init(count: Int, _ prepare: () -> @Sendable () -> Void) {
    let state = Monitor(State(running: count))
    self.state = state
    for _ in 0..<count {
      let work = prepare()
      _ = BackgroundThread("companion") {
        while !state.withLock(\.isStopping) { work() }
        state.update { $0.running -= 1 }
      }
    }
  }

  func stop() {
    state.withLock { $0.isStopping = true }
    state.wait { $0.running == 0 ? () : nil }
  }
}
