import Checkpoints
import Configuration
import Differentiation
import Diffusion
import Kernels
import MessagePassing
import Network
import Optimisation
import Ranks
import Tensors

/// The state of a training run and the parts of a step: every rank holds all parameters, and of the optimiser's moments
/// and of the averages what it owns (`Sharding`).
public final class DataParallelTrainer {
  /// How ranks work together; none of it changes a bit, save the plain sum and rounding on the wire.
  public struct Arrangement: Sendable {
    /// How gradients are added up; a run that is to keep its bits takes the tree.
    public var reduction = ReductionMethod.tree
    /// Whether messages move while the network computes.
    public var overlaps = true
    /// How gradients travel between nodes.
    public var wire = RunConfiguration.TrainingSettings.WireFormat.float32
    /// How ranks are spread over nodes; nil for each a node of its own.
    public var grid: RankGrid?

    public init(
      reduction: ReductionMethod = .tree, overlaps: Bool = true,
      wire: RunConfiguration.TrainingSettings.WireFormat = .float32, grid: RankGrid? = nil
    ) {
      self.reduction = reduction
      self.overlaps = overlaps
      self.wire = wire
      self.grid = grid
    }
  }

  /// The network, and what it is trained for.
  public let task: any TrainingTask
  /// Who owns what.
  public let sharding: Sharding
  public let averages: [ExponentialMovingAverage]

  /// What decides how often training draws each step; nil for evenly.
  private(set) var lossAware: LossAwareSteps?
  private let lossAwareRecord: LossAwareRecord?
  /// The times and losses of this rank's images of the step under way, one after the other.
  private var imageLosses: [Double] = []
  private let configuration: RunConfiguration
  private let communicator: Communicator
  /// For gradients and parameters alone, which another thread may move.
  private let exchangeRanks: SplitCommunicator
  let workers: WorkerPool
  let profiler: Profiler?
  private let adam: Adam
  private let schedule: LearningRateSchedule
  private let averaging: any GradientReduction
  private let loop: ProgressLoop
  private let parameterExchange: ParameterExchange
  /// What went wrong while a forward pass waited for parameters.
  private var exchangeFailure: (any Error)?
  private let arena: Arena
  private let pieces: [Sharding.Piece]

  /// A trainer at step 0: parameters drawn from the seed, averages equal to them. Collective.
  ///
  /// - Parameter profiler: measures the parts of a step; nil measures nothing.
  public init(
    configuration: RunConfiguration, task: any TrainingTask, communicator: Communicator, workers: WorkerPool,
    arrangement: Arrangement = Arrangement(), profiler: Profiler? = nil
  ) throws {
    self.configuration = configuration
    self.task = task
    let drawnSteps = configuration.diffusion.timeSampling == .lossAware ? configuration.diffusion.steps : nil
    lossAware = drawnSteps.map { LossAwareSteps(steps: $0) }
    lossAwareRecord = drawnSteps.map { LossAwareRecord(steps: $0) }
    self.communicator = communicator
    self.workers = workers
    self.profiler = profiler

    let layout = task.model.layout
    arena = Arena(layout)
    task.model.initialise(arena, seed: configuration.seed, workers: workers)
    let sharding = Sharding(
      arenaCount: layout.arenaCount, grid: arrangement.grid ?? RankGrid.flat(communicator.size))
    self.sharding = sharding
    pieces = sharding.pieces(ofRank: communicator.rank)
    exchangeRanks = try communicator.split(group: 0)!
    let tree = MicroBatchTree(leafCount: configuration.microBatchCount)
    // Inside a machine, messages are copies that a processor makes, and there is nothing to hide.
    let loop = ProgressLoop(
      isBackground: sharding.grid.nodeCount > 1 && arrangement.overlaps && MPISession.allowsConcurrentCalls,
      waits: communicator.waits)
    self.loop = loop
    parameterExchange = ParameterExchange(
      sharding: sharding, rank: communicator.rank, communicator: exchangeRanks.communicator)
    averaging =
      switch arrangement.reduction {
      case .tree:
        GradientAveraging(
          layout: layout, tree: tree, sharding: sharding, communicator: exchangeRanks.communicator, workers: workers,
          loop: loop, wire: arrangement.wire, profiler: profiler)
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
      for piece in pieces { average.start(piece.part, parameters: arena.pointer + piece.range.lowerBound) }
    }
  }

  /// Begins with other parameters than those drawn from the seed; the averages start from them too. Before the first step,
  /// and alike on all ranks.
  public func begin(with parameters: Arena) {
    precondition(parameters.count == arena.count, "parameters of another network")
    arena.pointer.update(from: parameters.pointer, count: arena.count)
    startAverages()
  }

  /// Whether messages move while the network computes.
  public var overlaps: Bool { loop.isBackground }

  /// Bytes of the optimiser's moments and the averages that this rank holds.
  public var shardedStateBytes: Int { (2 + averages.count) * adam.count * MemoryLayout<Float>.stride }

  /// θ, equal on all ranks. Collective: waits for what other ranks have updated.
  public func parameters() throws -> Arena {
    try settleParameters()
    return arena
  }

  /// Waits until nothing is under way between ranks. Collective; to be called before the trainer is let go, unless the job
  /// is about to be aborted.
  public func settle() throws { try settleParameters() }

  // MARK: Parts of the step

  /// The micro-batches of this rank.
  package var localMicroBatches: Range<Int> { averaging.localMicroBatches }

  /// The samples of the global batch that are a micro-batch.
  package func samples(ofMicroBatch index: Int) -> Range<Int> {
    let size = configuration.training.microBatch
    return index * size..<(index + 1) * size
  }

  /// Forward and backward pass over one of this rank's micro-batches; its gradients join the sum, and begin to move as
  /// soon as they are final.
  ///
  /// - Parameters:
  ///   - batch: noisy images, noise and times of the micro-batch.
  ///   - microBatch: its number in the global batch; this rank's come in order.
  ///   - step: steps done before this one.
  /// - Returns: the micro-batch's part of the global batch's loss.
  package func accumulateGradients(_ batch: NoisedImages, microBatch: Int, step: Int) throws -> Double {
    let tape = Tape(
      recordingWith: arena, gradients: averaging.leaf(), workers: workers, profiler: profiler,
      convolutionMethod: task.model.convolutionMethod)
    tape.parameterIsNeeded = { [unowned self] in waitForParameter($0) }
    tape.parameterGradientIsFinal = { [unowned self] in averaging.parameterIsFinal($0) }
    let (output, loss) = task.forward(
      batch, step: step, firstSample: samples(ofMicroBatch: microBatch).lowerBound, on: tape)
    if let exchangeFailure { throw exchangeFailure }
    do { try FaultPoint.gradient.pass(rank: communicator.rank) } catch { loss.gradient.pointer[0] = .nan }
    tape.unwind(from: output, seed: loss.gradient)
    averaging.finishLeaf()
    if lossAware != nil { imageLosses += zip(batch.times, loss.imageLosses).flatMap { [$0, $1] } }
    return loss.loss
  }

  /// The gradient of the global batch, in an arena of which the pieces that this rank owns hold it. Collective; valid
  /// until the next step.
  package func averagedGradients() throws -> UnsafeMutablePointer<Float> { try averaging.finish() }

  /// The loss of the global batch from those of this rank's micro-batches, in order. Collective; equal on all ranks.
  package func totalLoss(_ losses: [Double]) throws -> Double {
    MicroBatchTree.sum(
      try communicator.allGather(losses, counts: averaging.tree.leafRanges(ofRanks: communicator.size).map(\.count)))
  }

  /// Notes what the images of the step lost, if that decides which steps are drawn. Collective.
  func noteLosses() throws {
    guard lossAware != nil else { return }
    let counts = averaging.tree.leafRanges(ofRanks: communicator.size).map {
      2 * configuration.training.microBatch * $0.count
    }
    let all = try communicator.allGather(imageLosses, counts: counts)
    for index in stride(from: 0, to: all.count, by: 2) {
      lossAware?.note(loss: all[index + 1], ofStep: Int(all[index]))
    }
    imageLosses = []
  }

  /// ‖g‖ of the averaged gradient. Collective; equal on all ranks.
  package func gradientNorm(_ gradients: UnsafePointer<Float>) throws -> Double {
    try profiler.measure(.gradientNorm, Work(floats: adam.count)) {
      let sums = pieces.flatMap {
        GradientNorm.blockSums(gradients + $0.range.lowerBound, count: $0.range.count, workers: workers)
      }
      let counts = (0..<communicator.size).map { sharding.count(ofRank: $0) / ParameterLayout.blockSize }
      let all = sharding.inArenaOrder(try communicator.allGather(sums, counts: counts))
      return MicroBatchTree.sum(all).squareRoot()
    }
  }

  /// The learning rate of the step after `step` steps.
  func learningRate(step: Int) -> Double { schedule.rate(atStep: step + 1) }

  /// One step of Adam on what this rank owns; then all ranks begin to exchange their new parameters. Collective.
  ///
  /// - Parameters:
  ///   - gradients: as `averagedGradients` gave them.
  ///   - norm: the gradient's norm, for clipping.
  ///   - step: steps done before this one.
  package func update(gradients: UnsafePointer<Float>, norm: Double, step: Int) throws {
    let scale = configuration.training.maxGradientNorm.map {
      GradientNorm.clippingScale(norm: norm, maximum: $0)
    }
    // All ranks have the parameters, or there would be no norm; their last messages need to be noticed.
    try settleParameters()
    // Gradients are read; parameters and both moments are read and written.
    profiler.measure(.adam, Work(floats: 7 * adam.count)) {
      for piece in pieces {
        adam.update(
          piece.part, parameters: arena.pointer + piece.range.lowerBound, gradients: gradients + piece.range.lowerBound,
          gradientScale: Float(scale ?? 1), learningRate: learningRate(step: step), step: step + 1, workers: workers)
      }
    }
    beginExchange(of: arena)
    if !overlaps { try settleParameters() }
  }

  /// Moves the averages of what this rank owns towards the parameters.
  /// - Parameter step: steps done before this one.
  package func updateAverages(step: Int) {
    for average in averages {
      profiler.measure(.movingAverages, Work(floats: 3 * average.count)) {
        for piece in pieces {
          average.update(piece.part, step: step, parameters: arena.pointer + piece.range.lowerBound, workers: workers)
        }
      }
    }
  }

  // MARK: Exchanging parameters

  /// All of an average, put together from what the ranks own. Collective.
  public func gatherAverage(_ average: ExponentialMovingAverage) throws -> Arena {
    try settleParameters()
    let gathered = Arena(task.model.layout)
    scatter(average.average.pointer, to: gathered)
    beginExchange(of: gathered)
    try settleParameters()
    return gathered
  }

  private func beginExchange(of arena: Arena) {
    if communicator.size == 1 { return }
    parameterExchange.begin(arena)
    loop.start(parameterExchange)
  }

  private func settleParameters() throws {
    if parameterExchange.isDone { return }
    // This rank's pieces are read and all others are written.
    try profiler.measure(.parameterExchange, Work(floats: arena.count)) {
      try loop.wait { parameterExchange.isDone }
    }
  }

  /// Returns when the values of a parameter are there, or never will be.
  private func waitForParameter(_ entry: ParameterEntry) {
    let needed = sharding.buckets(touching: entry.range).upperBound
    if parameterExchange.arrivedCount >= needed { return }
    do {
      try profiler.measure(.parameterExchange) { try loop.wait { parameterExchange.arrivedCount >= needed } }
    } catch {
      exchangeFailure = error
    }
  }

  /// What this rank owns of an arena, one piece after the other.
  private func gather(_ values: UnsafePointer<Float>) -> FloatBuffer {
    let buffer = FloatBuffer(count: adam.count)
    for piece in pieces {
      (buffer.pointer + piece.offset).update(from: values + piece.range.lowerBound, count: piece.range.count)
    }
    return buffer
  }

  private func scatter(_ values: UnsafePointer<Float>, to arena: Arena) {
    for piece in pieces {
      (arena.pointer + piece.range.lowerBound).update(from: values + piece.offset, count: piece.range.count)
    }
  }

  // MARK: Checkpoints

  /// The state of this moment, with the parameters in a buffer of their own.
  public var state: TrainingState {
    let model = tensorGroup(CheckpointGroup.model, ofArena: arena.pointer)
    let parameters = TrainingState.Part(group: model, isLive: false) { [unowned self] in
      scatter(model.values.pointer, to: arena)
      beginExchange(of: arena)
      try settleParameters()
    }
    let sharded =
      averages.map { (CheckpointGroup.average($0.decay), $0.average) } + [
        (CheckpointGroup.firstMoment, adam.firstMoment), (CheckpointGroup.secondMoment, adam.secondMoment),
      ]
    return TrainingState(
      parts: [parameters] + sharded.map { .init(group: tensorGroup($0.0, $0.1), isLive: true) } + lossAwareParts)
  }

  /// Bytes that a copy of the state takes on this rank.
  public var stateCopyBytes: Int { shardedStateBytes + adam.count * MemoryLayout<Float>.stride }

  /// A group of a file whose tensors have the parameters' names and shapes.
  /// - Parameter values: an arena; what this rank owns of it is copied.
  public func tensorGroup(_ path: String, ofArena values: UnsafePointer<Float>) -> TensorGroup {
    tensorGroup(path, gather(values))
  }

  private func tensorGroup(_ path: String, _ values: FloatBuffer) -> TensorGroup {
    TensorGroup(path: path, layout: task.model.layout, ranges: pieces.map(\.range), values: values)
  }

  private var lossAwareParts: [TrainingState.Part] {
    guard let lossAwareRecord, let lossAware else { return [] }
    lossAwareRecord.store(lossAware)
    let part = TrainingState.Part(
      group: lossAwareRecord.group(isOwner: communicator.rank == 0), isLive: true
    ) { [unowned self] in
      try lossAwareRecord.share(communicator)
      self.lossAware = lossAwareRecord.steps
    }
    return [part]
  }
}

extension Sharding.Piece {
  /// The floats of its owner's buffers.
  fileprivate var part: Range<Int> { offset..<offset + range.count }
}
