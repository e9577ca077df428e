import DataParallel
import Ranks
import Tensors

/// Predicts a training step on a cluster from measurements on one machine and the properties of the network.
///
/// - **Computation.** A pass over m images takes a + b·m seconds on one thread, forward and backward each with their
///   own a and b; t threads take (s + (1 − s)/t) of that, where s is the serial fraction (Amdahl 1967).
/// - **Network.** A message of x bytes takes α + x/β between two machines (Hockney 1994); a machine sends and receives at
///   the same time, each at β.
/// - **Inside a machine.** Bytes are copied at the measured speed of a copy, which its ranks share.
/// - **Overlap.** Gradients are exchanged during the last backward pass and parameters during the next forward pass;
///   the computation waits for the rest and for the last bucket. Sending and receiving takes processor time away from
///   the computation.
public struct ClusterModel: Sendable {
  /// The time of a pass in seconds as a linear function of the number of images.
  public struct PassTime: Sendable, Equatable {
    /// a.
    public var perPass: Double
    /// b.
    public var perImage: Double

    public init(perPass: Double, perImage: Double) {
      self.perPass = perPass
      self.perImage = perImage
    }

    public func seconds(images: Int) -> Double { perPass + perImage * Double(images) }
  }

  /// The properties of one machine.
  public struct Machine: Sendable, Equatable {
    public var forward: PassTime
    public var backward: PassTime
    /// s.
    public var serialShare: Double
    /// Seconds per float of a rank's shard: Adam, the averages and the norm.
    public var updateSecondsPerFloat: Double
    /// Bytes that one core reads and writes per second when copying.
    public var copiedBytesPerSecond: Double
    /// The same for all cores together.
    public var allCoresCopiedBytesPerSecond: Double
    /// Bytes of activations per image of a micro-batch.
    public var activationBytesPerImage: Double

    public init(
      forward: PassTime, backward: PassTime, serialShare: Double, updateSecondsPerFloat: Double,
      copiedBytesPerSecond: Double, allCoresCopiedBytesPerSecond: Double, activationBytesPerImage: Double
    ) {
      self.forward = forward
      self.backward = backward
      self.serialShare = serialShare
      self.updateSecondsPerFloat = updateSecondsPerFloat
      self.copiedBytesPerSecond = copiedBytesPerSecond
      self.allCoresCopiedBytesPerSecond = allCoresCopiedBytesPerSecond
      self.activationBytesPerImage = activationBytesPerImage
    }
  }

  /// The properties of the network between machines, and of the storage.
  public struct Network: Sendable, Equatable {
    /// β, in bytes per second and direction.
    public var bytesPerSecond: Double
    /// α, in seconds.
    public var latency: Double
    /// Bytes that a core sends or receives per second if it does nothing else.
    public var bytesPerCoreSecond: Double
    /// The bandwidth of the file system in bytes per second, for all ranks together.
    public var storageBytesPerSecond: Double

    public init(
      bytesPerSecond: Double, latency: Double, bytesPerCoreSecond: Double, storageBytesPerSecond: Double
    ) {
      self.bytesPerSecond = bytesPerSecond
      self.latency = latency
      self.bytesPerCoreSecond = bytesPerCoreSecond
      self.storageBytesPerSecond = storageBytesPerSecond
    }
  }

  /// The properties of the training.
  public struct Workload: Sendable, Equatable {
    /// The number of floats in an arena.
    public var arenaCount: Int
    public var batch: Int
    /// The maximum micro-batch size.
    public var microBatch: Int
    public var averageCount: Int
    /// The number of bytes of a gradient's float on the network.
    public var wireBytes: Int
    public var overlaps: Bool

    public init(arenaCount: Int, batch: Int, microBatch: Int, averageCount: Int, wireBytes: Int, overlaps: Bool) {
      self.arenaCount = arenaCount
      self.batch = batch
      self.microBatch = microBatch
      self.averageCount = averageCount
      self.wireBytes = wireBytes
      self.overlaps = overlaps
    }
  }

  /// The distribution of ranks.
  public struct Arrangement: Sendable, Equatable {
    public var grid: RankGrid
    public var threads: Int
    public var microBatch: Int

    public init(grid: RankGrid, threads: Int, microBatch: Int) {
      self.grid = grid
      self.threads = threads
      self.microBatch = microBatch
    }
  }

  /// The prediction. Times are in seconds per step unless stated otherwise.
  public struct Prediction: Sendable, Equatable {
    public var arrangement: Arrangement
    public var stepSeconds: Double
    public var computeSeconds: Double
    /// The time of network communication, hidden or not.
    public var networkSeconds: Double
    /// The part of this and of exchange within machines that the computation waits for.
    public var exposedSeconds: Double
    public var updateSeconds: Double
    public var imagesPerSecond: Double
    public var bytesPerRank: Int
    public var checkpointBytes: Int
    public var checkpointSeconds: Double
    /// How long a background save interrupts training.
    public var checkpointPause: Double
    /// The number of messages that a rank sends over the network in a step, and the size of the largest in bytes.
    public var messagesPerRank: Int
    public var largestMessage: Int
  }

  public let machine: Machine
  public let network: Network
  public let workload: Workload

  public init(machine: Machine, network: Network, workload: Workload) {
    self.machine = machine
    self.network = network
    self.workload = workload
  }

  /// The fastest distribution of ranks over machines; nil if there are more machines than images.
  public func best(nodes: Int, coresPerNode: Int, ranksPerNode: Int? = nil) -> Prediction? {
    let slots = ranksPerNode.map { [$0] } ?? (1...coresPerNode).filter { coresPerNode.isMultiple(of: $0) }
    let predictions = slots.compactMap { slots -> Prediction? in
      let ranks = nodes * slots
      let fitting = (1...workload.microBatch).filter {
        workload.batch.isMultiple(of: $0) && workload.batch / $0 >= ranks
      }
      let candidates = fitting.map {
        predict(
          Arrangement(
            grid: RankGrid(nodes: nodes, slots: slots), threads: max(1, coresPerNode / slots), microBatch: $0))
      }
      return candidates.min { $0.stepSeconds < $1.stepSeconds }
    }
    return predictions.min { $0.stepSeconds < $1.stepSeconds }
  }

  /// Predicts a step for one arrangement. There must be a micro-batch for every rank.
  public func predict(_ arrangement: Arrangement) -> Prediction {
    let grid = arrangement.grid
    let tree = MicroBatchTree(leafCount: workload.batch / arrangement.microBatch)
    let busiest = tree.leafRanges(ofRanks: grid.rankCount).map(\.count).max() ?? 0
    let sharding = Sharding(arenaCount: workload.arenaCount, grid: grid)
    let amdahl = machine.serialShare + (1 - machine.serialShare) / Double(arrangement.threads)
    let forward = machine.forward.seconds(images: arrangement.microBatch) * amdahl
    let backward = machine.backward.seconds(images: arrangement.microBatch) * amdahl
    let compute = Double(busiest) * (forward + backward)

    let sums = tree.merging(tree.maximalSubtrees(of: tree.leafRanges(ofRanks: grid.rankCount)[0])).sums.count
    let gradients = transfer(sharding, bytesPerFloat: workload.wireBytes, sums: sums)
    let parameters = transfer(sharding, bytesPerFloat: 4, sums: 1)
    var exposed: Double
    if workload.overlaps {
      // Processor time spent on moving bytes is lost to the concurrent computation.
      let stolen = gradients.processor + parameters.processor
      exposed =
        max(gradients.lastBucket, gradients.seconds - backward)
        + max(parameters.lastBucket, parameters.seconds - forward)
        + stolen
    } else {
      exposed = max(gradients.seconds, gradients.processor) + max(parameters.seconds, parameters.processor)
    }
    if grid.rankCount == 1 { exposed = 0 }

    let owned = sharding.count(ofRank: 0)
    let update = Double(owned) * machine.updateSecondsPerFloat * amdahl
    let step = compute + exposed + update
    let state = 3 + workload.averageCount
    let arena = workload.arenaCount * 4
    let buffers = min(tree.root.level + 1, busiest)
    let bytes =
      arena * (1 + buffers) + owned * 4 * (state - 1) + owned * 4 * state
      + Int(machine.activationBytesPerImage * Double(arrangement.microBatch)) + 4 * sharding.bucketSize * 16
    let checkpoint = arena * state
    let levelPeers = grid.nodeCount - 1
    return Prediction(
      arrangement: arrangement, stepSeconds: step, computeSeconds: compute,
      networkSeconds: gradients.network + parameters.network, exposedSeconds: exposed, updateSeconds: update,
      imagesPerSecond: Double(workload.batch) / step, bytesPerRank: bytes, checkpointBytes: checkpoint,
      checkpointSeconds: Double(checkpoint) / network.storageBytesPerSecond,
      checkpointPause: Double(owned * 4 * state) / machine.copiedBytesPerSecond,
      messagesPerRank: sharding.buckets.count * levelPeers * (sums + 1),
      largestMessage: levelPeers == 0 ? 0 : 4 * (sharding.buckets.first.map { $0.count / grid.rankCount } ?? 0))
  }

  /// The transfer of an arena to its owners, or back.
  private func transfer(
    _ sharding: Sharding, bytesPerFloat: Int, sums: Int
  ) -> (seconds: Double, network: Double, lastBucket: Double, processor: Double) {
    let grid = sharding.grid
    let buckets = Double(max(1, sharding.buckets.count))
    let arena = Double(workload.arenaCount)
    // Over the network: a machine's ranks together send everything except the machine's own pieces.
    var seconds = 0.0
    var processor = 0.0
    if grid.nodeCount > 1 {
      let bytes = arena * Double(bytesPerFloat * sums * (grid.nodeCount - 1)) / Double(grid.nodeCount)
      let messages = buckets * Double((grid.nodeCount - 1) * sums * grid.slotCount)
      seconds = messages * network.latency + bytes / network.bytesPerSecond
      // Sent and received, shared by the machine's ranks.
      processor = 2 * bytes / network.bytesPerCoreSecond / Double(grid.slotCount)
    }
    let overNetwork = seconds
    // Within the machine: every rank reads the other ranks' parts of its section.
    var inside = 0.0
    if grid.slotCount > 1 {
      let bytes = arena * 4 * Double(sums * (grid.slotCount - 1))
      inside = 2 * bytes / machine.allCoresCopiedBytesPerSecond
      processor += inside
    }
    seconds += inside
    return (seconds, overNetwork, seconds / buckets, processor)
  }
}
