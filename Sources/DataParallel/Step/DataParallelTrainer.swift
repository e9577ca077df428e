import Configuration
import Differentiation
import Diffusion
import Kernels
import MessagePassing
import Network
import Optimisation
import Ranks
import Tensors

/// The state of a training run and the parts of a step. Every rank has all parameters, in memory that the ranks of a node
/// share (`NodeMemory`); the optimiser's moments and the averages are sharded (`Sharding`).
///
/// The parameters in shared memory change in `update`, when all ranks have finished their backward passes, since they
/// have agreed on the gradient's norm. They are complete again when `ParameterExchange` says so.
package final class DataParallelTrainer {
  /// How ranks work together. No setting affects the results, except the plain sum and rounding on the wire.
  package struct Arrangement: Sendable {
    /// How gradients are added up; the tree gives bit-identical results for any number of ranks.
    package var reduction = ReductionMethod.tree
    /// Whether communication overlaps with computation.
    package var overlaps = true
    /// The format of gradients sent between nodes.
    package var wire = RunConfiguration.TrainingSettings.WireFormat.float32
    /// How ranks are distributed over nodes; nil if each rank is a node of its own.
    package var grid: RankGrid?
    /// Whether the ranks of a node share the parameters and add up their gradients in place.
    package var sharesMemory = true
    /// Whether they then give the memory of gradients back as these are added up, if each has one micro-batch. Otherwise
    /// gradients stay in memory from step to step, which is faster.
    package var releasesGradients = false

    package init() {}

    /// What the keys of a configuration say.
    package init(_ settings: RunConfiguration.TrainingSettings, grid: RankGrid?) {
      (overlaps, wire, releasesGradients) = (settings.overlap, settings.wire, settings.releasesGradients)
      self.grid = grid
    }
  }

  /// The network and its training objective.
  package let task: any TrainingTask
  /// The division of the arena among ranks.
  package let sharding: Sharding
  package let averages: [ExponentialMovingAverage]

  /// The sampling distribution of the time steps; nil for the uniform one.
  var lossAware: LossAwareSteps?
  /// The times and losses of this rank's images in the current step, one after another.
  private var imageLosses: [Double] = []
  let configuration: RunConfiguration
  let communicator: Communicator
  /// Only for gradients and parameters, which another thread may exchange.
  private let exchangeRanks: SplitCommunicator
  let workers: WorkerPool
  let profiler: Profiler?
  let adam: Adam
  private let schedule: LearningRateSchedule
  private let gradientSum: any GradientSum
  /// The number of micro-batches of each rank.
  private let microBatchCounts: [Int]
  /// The number of the arena's blocks that each rank owns.
  private let blockCounts: [Int]
  private let loop: ProgressLoop
  private let parameterExchange: ParameterExchange
  /// nil if the ranks of a node share no memory.
  private let nodeRanks: NodeRanks?
  /// The error that occurred while a forward pass waited for parameters.
  private var exchangeFailure: (any Error)?
  let arena: Arena
  /// Whether `arena` is one for all ranks of the node.
  package let sharesParameters: Bool
  let pieces: [Sharding.Piece]

  /// A trainer at step 0: parameters are drawn from the seed, and averages are equal to them. Collective.
  ///
  /// - Parameter profiler: measures the parts of a step; nil measures nothing.
  package init(
    configuration: RunConfiguration, task: any TrainingTask, communicator: Communicator, workers: WorkerPool,
    arrangement: Arrangement = Arrangement(), profiler: Profiler? = nil
  ) throws {
    self.configuration = configuration
    self.task = task
    let diffusion = configuration.diffusion
    lossAware = diffusion.timeSampling == .lossAware ? LossAwareSteps(steps: diffusion.steps) : nil
    self.communicator = communicator
    self.workers = workers
    self.profiler = profiler

    let layout = task.model.layout
    sharding = Sharding(arenaCount: layout.arenaCount, grid: arrangement.grid ?? .flat(communicator.size))
    pieces = sharding.pieces(ofRank: communicator.rank)
    exchangeRanks = try communicator.split(group: 0)!
    let tree = MicroBatchTree(leafCount: configuration.microBatchCount)
    nodeRanks =
      arrangement.sharesMemory && arrangement.reduction == .tree
      ? try NodeRanks(of: communicator, grid: sharding.grid) : nil
    let counts = TreeGradientSum.bufferCounts(
      tree: tree, grid: sharding.grid, node: sharding.grid.node(of: communicator.rank))
    let shared = try nodeRanks?.share(layout, gradientCounts: counts)
    arena = shared?.parameters ?? Arena(layout)
    sharesParameters = shared != nil
    if !sharesParameters || nodeRanks?.isFirst == true {
      task.model.initialise(arena, seed: configuration.seed, workers: workers)
    }
    try nodeRanks?.barrier()
    microBatchCounts = tree.leafRanges(ofRanks: communicator.size).map(\.count)
    blockCounts = (0..<communicator.size).map { [sharding] rank in
      sharding.count(ofRank: rank) / ParameterLayout.blockSize
    }
    // Within a machine, messages are copies that a processor makes, so overlapping gains nothing.
    loop = ProgressLoop(
      isBackground: sharding.grid.nodeCount > 1 && arrangement.overlaps && MPISession.allowsConcurrentCalls,
      waits: communicator.waits)
    parameterExchange = ParameterExchange(
      sharding: sharding, rank: communicator.rank, communicator: exchangeRanks.communicator)
    gradientSum =
      switch arrangement.reduction {
      case .tree:
        TreeGradientSum(
          layout: layout, tree: tree, sharding: sharding, communicator: exchangeRanks.communicator, workers: workers,
          loop: loop, wire: arrangement.wire, shared: shared?.gradients,
          releasesGradients: arrangement.releasesGradients, profiler: profiler)
      case .allreduce:
        PlainGradientSum(layout: layout, tree: tree, communicator: communicator, workers: workers, profiler: profiler)
      }

    let training = configuration.training
    let count = sharding.count(ofRank: communicator.rank)
    adam = Adam(
      count: count,
      settings: Adam.Settings(
        firstMomentDecay: training.adamBeta1, secondMomentDecay: training.adamBeta2, epsilon: training.adamEpsilon))
    averages = training.emaDecays.map { ExponentialMovingAverage(decay: $0, rampup: training.emaRampup, count: count) }
    schedule = configuration.learningRateSchedule
    startAverages()
  }

  deinit { loop.stop() }

  private func startAverages() {
    for average in averages {
      for piece in pieces { average.start(piece.part, parameters: arena[piece.range]) }
    }
  }

  /// Starts with given parameters instead of those drawn from the seed; the averages start from them too. Collective;
  /// call it before the first step.
  /// - Parameter parameters: rank 0's, which all ranks get; others' are ignored.
  package func begin(with parameters: Arena?) throws {
    if communicator.rank == 0 {
      guard let parameters else { preconditionFailure("rank 0 has no parameters") }
      Tensor(arena.buffer).copy(Tensor(parameters.buffer))
    }
    // Where the ranks of a node share the parameters, the first of them receives them for all.
    let receives = !sharesParameters || nodeRanks?.isFirst == true
    if let receivers = try communicator.split(group: receives ? 0 : nil) {
      try receivers.communicator.broadcast(arena.buffer, from: 0)
      try receivers.close()
    }
    try nodeRanks?.barrier()
    startAverages()
  }

  /// Whether communication overlaps with computation.
  package var overlaps: Bool { loop.isBackground }

  /// Why the ranks of a node do not share memory although they should; nil if they do, or if there is nothing to share.
  package var memorySharingFailure: String? { nodeRanks?.failure }

  /// θ, equal on all ranks. Collective: waits for the other ranks' updates.
  package func parameters() throws -> Arena {
    try settle()
    return arena
  }

  // MARK: Parts of the step

  /// The micro-batches of this rank.
  package var localMicroBatches: Range<Int> { gradientSum.localMicroBatches }

  /// The samples of the global batch in this rank's micro-batches.
  package var localSamples: Range<Int> { samples(ofMicroBatches: localMicroBatches) }

  /// The samples of the global batch in some micro-batches.
  package func samples(ofMicroBatches range: Range<Int>) -> Range<Int> {
    let size = configuration.training.microBatch
    return range.lowerBound * size..<range.upperBound * size
  }

  /// Forward and backward pass over one of this rank's micro-batches. Its gradients are added to the sum, and their
  /// exchange starts as soon as they are final.
  ///
  /// - Parameters:
  ///   - batch: noisy images, noise and times of the micro-batch.
  ///   - microBatch: its index in the global batch; this rank's micro-batches come in order.
  ///   - step: the number of steps done before this one.
  /// - Returns: the micro-batch's contribution to the global batch's loss.
  func accumulateGradients(_ batch: NoisedImages, microBatch: Int, step: Int) throws -> Double {
    let tape = Tape(
      recordingWith: arena, gradients: gradientSum.leaf(), workers: workers, profiler: profiler,
      arithmetic: task.model.arithmetic)
    tape.parameterIsNeeded = { [unowned self] in waitForParameter($0) }
    tape.parameterGradientIsFinal = { [unowned self] in gradientSum.parameterIsFinal($0) }
    let (output, loss) = task.forward(
      batch, step: step, firstSample: microBatch * configuration.training.microBatch, on: tape)
    if let exchangeFailure { throw exchangeFailure }
    do { try FaultPoint.gradient.pass(rank: communicator.rank) } catch { loss.gradient[0] = .nan }
    tape.unwind(from: output, seed: loss.gradient)
    gradientSum.finishLeaf()
    if lossAware != nil { imageLosses += zip(batch.times, loss.imageLosses).flatMap { [$0, $1] } }
    return loss.loss
  }

  /// The gradient of the global batch. Only this rank's pieces of the arena are valid, until the next step. Collective.
  func averagedGradients() throws -> Arena { try gradientSum.finish() }

  /// The loss of the global batch, from those of this rank's micro-batches in order. Collective; equal on all ranks.
  func totalLoss(_ losses: [Double]) throws -> Double {
    MicroBatchTree.sum(try communicator.allGather(losses, counts: microBatchCounts))
  }

  /// Records the losses of the step's images, if they determine which time steps are drawn. Collective.
  func noteLosses() throws {
    guard lossAware != nil else { return }
    let counts = microBatchCounts.map { 2 * configuration.training.microBatch * $0 }
    let all = try communicator.allGather(imageLosses, counts: counts)
    for index in stride(from: 0, to: all.count, by: 2) {
      lossAware?.note(loss: all[index + 1], ofStep: Int(all[index]))
    }
    imageLosses = []
  }

  /// ‖g‖ of the averaged gradient. Collective; equal on all ranks.
  func gradientNorm(_ gradients: Arena) throws -> Double {
    try profiler.measure(.gradientNorm, Work(floats: adam.count)) {
      let sums = pieces.flatMap { GradientNorm.blockSums(gradients[$0.range], workers: workers) }
      let all = sharding.inArenaOrder(try communicator.allGather(sums, counts: blockCounts))
      return MicroBatchTree.sum(all).squareRoot()
    }
  }

  /// The learning rate of the step after `step` steps.
  func learningRate(step: Int) -> Double { schedule.rate(atStep: step + 1) }

  /// Waits for the other ranks that share this one's parameters, if there are any. Collective.
  func waitForNode() throws { try nodeRanks?.barrier() }

  /// Updates this rank's pieces with Adam; then all ranks start to exchange their new parameters. Collective.
  ///
  /// - Parameters:
  ///   - gradients: the result of `averagedGradients`.
  ///   - norm: the gradient's norm, for clipping.
  ///   - step: the number of steps done before this one.
  func update(gradients: Arena, norm: Double, step: Int) throws {
    let scale = configuration.training.maxGradientNorm.map { GradientNorm.clippingScale(norm: norm, maximum: $0) }
    // All ranks have the parameters, since the norm is known; only their last messages have to be completed.
    try settle()
    // Gradients are read; parameters and both moments are read and written.
    profiler.measure(.adam, Work(floats: 7 * adam.count)) {
      for piece in pieces {
        adam.update(
          piece.part, parameters: arena[piece.range], gradients: gradients[piece.range],
          gradientScale: Float(scale ?? 1), learningRate: learningRate(step: step), step: step + 1, workers: workers)
      }
    }
    beginExchange(of: arena, isShared: sharesParameters)
    if !overlaps { try settle() }
  }

  /// Moves this rank's pieces of the averages towards the parameters.
  /// - Parameter step: the number of steps done before this one.
  func updateAverages(step: Int) {
    for average in averages {
      profiler.measure(.movingAverages, Work(floats: 3 * average.count)) {
        for piece in pieces {
          average.update(piece.part, step: step, parameters: arena[piece.range], workers: workers)
        }
      }
    }
  }

  // MARK: Exchanging parameters

  /// A complete average, gathered from the pieces of all ranks. Collective.
  package func gatherAverage(_ average: ExponentialMovingAverage) throws -> Arena {
    try settle()
    let shared = sharesParameters ? try nodeRanks?.share(task.model.layout)?.parameters : nil
    let gathered = shared ?? Arena(task.model.layout)
    scatter(average.average, to: gathered)
    beginExchange(of: gathered, isShared: shared != nil)
    try settle()
    return gathered
  }

  func beginExchange(of arena: Arena, isShared: Bool) {
    if communicator.size == 1 { return }
    parameterExchange.begin(arena, isShared: isShared)
    loop.start(parameterExchange)
  }

  /// Waits until no communication between ranks is pending. Collective; call it before the trainer is released, unless
  /// the job is about to be aborted.
  package func settle() throws {
    if parameterExchange.isDone { return }
    // This rank's pieces are read and all others are written.
    try profiler.measure(.parameterExchange, Work(floats: arena.count)) {
      try loop.wait { parameterExchange.isDone }
    }
  }

  /// Waits for the values of a parameter; returns early if the exchange has failed.
  private func waitForParameter(_ entry: ParameterEntry) {
    let needed = sharding.buckets(touching: entry.range).upperBound
    if parameterExchange.arrivedCount >= needed { return }
    do {
      try profiler.measure(.parameterExchange) { try loop.wait { parameterExchange.arrivedCount >= needed } }
    } catch {
      exchangeFailure = error
    }
  }

  func scatter(_ values: FloatBuffer, to arena: Arena) {
    for piece in pieces { arena[piece.range].copy(values[piece.part]) }
  }
}
