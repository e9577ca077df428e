import Checkpoints
import Configuration
import Differentiation
import Diffusion
import Jobs
import Kernels
import MessagePassing
import Network
import Optimisation
import Tensors

/// The state of a training run and the parts of a step: every rank holds all parameters, and its shard of the
/// optimiser's moments and of the averages.
public final class DataParallelTrainer {
  /// The network, and what it is trained for.
  public let task: any TrainingTask
  /// θ, equal on all ranks.
  public let parameters: Arena
  public let averaging: any GradientReduction
  public let averages: [ExponentialMovingAverage]

  /// What decides how often training draws each step; nil for evenly.
  public private(set) var lossAware: LossAwareSteps?
  private let lossAwareRecord: LossAwareRecord?
  /// The times and losses of this rank's images of the step under way, one after the other.
  private var imageLosses: [Double] = []
  private let configuration: RunConfiguration
  private let communicator: Communicator
  private let workers: WorkerPool
  private let profiler: Profiler?
  private let adam: Adam
  private let schedule: LearningRateSchedule

  /// A trainer at step 0: parameters drawn from the seed, averages equal to them.
  ///
  /// - Parameters:
  ///   - reduction: how gradients are added up; a run that is to keep its bits takes the tree.
  ///   - profiler: measures the parts of a step; nil measures nothing.
  public init(
    configuration: RunConfiguration, task: any TrainingTask, communicator: Communicator, workers: WorkerPool,
    reduction: ReductionMethod = .tree, profiler: Profiler? = nil
  ) throws {
    self.configuration = configuration
    self.task = task
    let drawnSteps = configuration.diffusion.timeSampling == .lossAware ? configuration.diffusion.steps : nil
    lossAware = drawnSteps.map { LossAwareSteps(steps: $0) }
    lossAwareRecord = drawnSteps.map { LossAwareRecord(steps: $0) }
    self.communicator = communicator
    self.workers = workers
    self.profiler = profiler
    parameters = Arena(task.trainee.layout)
    task.trainee.initialise(parameters, seed: configuration.seed, workers: workers)
    let microBatchCount = configuration.microBatchCount
    averaging =
      switch reduction {
      case .tree:
        GradientAveraging(
          layout: task.trainee.layout, microBatchCount: microBatchCount, communicator: communicator, workers: workers,
          profiler: profiler)
      case .allreduce:
        PlainGradientSum(
          layout: task.trainee.layout, microBatchCount: microBatchCount, communicator: communicator, workers: workers,
          profiler: profiler)
      }
    let training = configuration.training
    let shard = averaging.shard
    let start = parameters.pointer + shard.lowerBound
    adam = Adam(
      count: shard.count,
      settings: Adam.Settings(
        firstMomentDecay: training.adamBeta1, secondMomentDecay: training.adamBeta2, epsilon: training.adamEpsilon))
    averages = training.emaDecays.map {
      ExponentialMovingAverage(decay: $0, parameters: start, count: shard.count)
    }
    schedule = LearningRateSchedule(learningRate: training.learningRate, warmupSteps: training.warmupSteps)
  }

  /// The samples of the global batch that are a micro-batch.
  public func samples(ofMicroBatch index: Int) -> Range<Int> {
    let size = configuration.training.microBatch
    return index * size..<(index + 1) * size
  }

  /// Forward and backward pass over one of this rank's micro-batches; its gradients join the sum.
  ///
  /// - Parameters:
  ///   - batch: noisy images, noise and times of the micro-batch.
  ///   - microBatch: its number in the global batch; this rank's come in order.
  ///   - step: steps done before this one.
  /// - Returns: the micro-batch's part of the global batch's loss.
  public func accumulateGradients(_ batch: NoisedImages, microBatch: Int, step: Int) -> Double {
    let gradients = averaging.leaf()
    let tape = Tape(
      recordingWith: parameters, gradients: gradients, workers: workers, profiler: profiler,
      convolutionMethod: task.trainee.convolutionMethod)
    let (output, loss) = task.forward(
      batch, step: step, firstSample: samples(ofMicroBatch: microBatch).lowerBound, on: tape)
    tape.unwind(from: output, seed: loss.gradient)
    averaging.add(gradients)
    if lossAware != nil { imageLosses += zip(batch.times, loss.imageLosses).flatMap { [$0, $1] } }
    return loss.loss
  }

  /// The loss of the global batch from those of this rank's micro-batches, in order. Collective; equal on all ranks.
  public func totalLoss(_ losses: [Double]) throws -> Double {
    GradientNorm.fixedTreeSum(
      try communicator.gatherInOrder(losses, counts: averaging.tree.rankRuns(communicator.size).map(\.count)))
  }

  /// Notes what the images of the step lost, if that decides which steps are drawn. Collective.
  public func noteLosses() throws {
    guard lossAware != nil else { return }
    let counts = averaging.tree.rankRuns(communicator.size).map { 2 * configuration.training.microBatch * $0.count }
    let all = try communicator.gatherInOrder(imageLosses, counts: counts)
    for index in stride(from: 0, to: all.count, by: 2) {
      lossAware?.note(loss: all[index + 1], ofStep: Int(all[index]))
    }
    imageLosses = []
  }

  /// ‖g‖ of the averaged gradient, from each rank's shard of it. Collective; equal on all ranks.
  public func gradientNorm(_ gradients: UnsafePointer<Float>) throws -> Double {
    try profiler.measure(.gradientNorm, Work(floats: averaging.shard.count)) {
      let sums = GradientNorm.blockSums(gradients, count: averaging.shard.count, workers: workers)
      let counts = averaging.shards.map { $0.count / ParameterLayout.blockSize }
      return GradientNorm.fixedTreeSum(try communicator.gatherInOrder(sums, counts: counts)).squareRoot()
    }
  }

  /// The learning rate of the step after `step` steps.
  public func learningRate(step: Int) -> Double { schedule.rate(atStep: step + 1) }

  /// One step of Adam on this rank's shard, then all ranks exchange their new parameters. Collective.
  ///
  /// - Parameters:
  ///   - gradients: this rank's shard of the averaged gradient.
  ///   - norm: the gradient's norm, for clipping.
  ///   - step: steps done before this one.
  public func update(gradients: UnsafePointer<Float>, norm: Double, step: Int) throws {
    let scale = configuration.training.maxGradientNorm.map {
      GradientNorm.clippingScale(norm: norm, maximum: $0)
    }
    // Gradients are read; parameters and both moments are read and written.
    profiler.measure(.adam, Work(floats: 7 * averaging.shard.count)) {
      adam.update(
        parameters: parameters.pointer + averaging.shard.lowerBound, gradients: gradients,
        gradientScale: Float(scale ?? 1), learningRate: learningRate(step: step), step: step + 1, workers: workers)
    }
    // This rank's shard is read and all others are written.
    try profiler.measure(.parameterExchange, Work(floats: communicator.size == 1 ? 0 : parameters.count)) {
      try exchangeShards(of: parameters)
    }
  }

  /// Moves the averages of this rank's shard towards the parameters.
  public func updateAverages() {
    for average in averages {
      profiler.measure(.movingAverages, Work(floats: 3 * averaging.shard.count)) {
        average.update(parameters: parameters.pointer + averaging.shard.lowerBound, workers: workers)
      }
    }
  }

  /// All of an average, put together from the ranks' shards. Collective.
  public func gatherAverage(_ average: ExponentialMovingAverage) throws -> Arena {
    let arena = Arena(task.trainee.layout)
    (arena.pointer + averaging.shard.lowerBound).update(from: average.average.pointer, count: average.count)
    try exchangeShards(of: arena)
    return arena
  }

  private func exchangeShards(of arena: Arena) throws {
    try communicator.allGatherVariable(
      inPlace: arena.pointer, counts: averaging.shards.map(\.count), displacements: averaging.shards.map(\.lowerBound))
  }

  // MARK: Checkpoints

  /// Everything a checkpoint holds, this rank's shard of each.
  public var tensorGroups: [TensorGroup] {
    [shardGroup("model", parameters.pointer + averaging.shard.lowerBound)]
      + averages.map { shardGroup("ema/\($0.decay)", $0.average.pointer) }
      + [
        shardGroup("optimizer/first_moment", adam.firstMoment.pointer),
        shardGroup("optimizer/second_moment", adam.secondMoment.pointer),
      ] + lossAwareGroups
  }

  /// A group of a file whose tensors have the parameters' names and shapes.
  /// - Parameter values: this rank's shard.
  public func shardGroup(_ path: String, _ values: UnsafeMutablePointer<Float>) -> TensorGroup {
    TensorGroup(path: path, layout: task.trainee.layout, shard: averaging.shard, values: values)
  }

  /// To be called after `tensorGroups` were filled from a checkpoint. Collective.
  public func didLoad() throws {
    try exchangeShards(of: parameters)
    guard let lossAwareRecord else { return }
    try lossAwareRecord.share(communicator)
    lossAware = lossAwareRecord.steps
  }

  private var lossAwareGroups: [TensorGroup] {
    guard let lossAwareRecord, let lossAware else { return [] }
    lossAwareRecord.store(lossAware)
    return [lossAwareRecord.group(isOwner: communicator.rank == 0)]
  }
}
