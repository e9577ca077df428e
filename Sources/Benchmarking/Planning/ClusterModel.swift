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
package struct ClusterModel: Sendable {
  /// The time of a pass in seconds as a linear function of the number of images.
  package struct PassTime: Sendable, Equatable {
    /// a.
    package var perPass: Double
    /// b.
    package var perImage: Double

    package init(perPass: Double, perImage: Double) {
      self.perPass = perPass
      self.perImage = perImage
    }

    package func seconds(images: Int) -> Double { perPass + perImage * Double(images) }
  }

  /// The properties of one machine.
  package struct Machine: Sendable, Equatable {
    package var forward: PassTime
    package var backward: PassTime
    /// s.
    package var serialShare: Double
    /// Seconds per float of a rank's shard: Adam, the averages and the norm.
    package var updateSecondsPerFloat: Double
    /// Bytes that one core reads and writes per second when copying.
    package var copiedBytesPerSecond: Double
    /// The same for all cores together.
    package var allCoresCopiedBytesPerSecond: Double
    /// Bytes of activations per image of a micro-batch.
    package var activationBytesPerImage: Double

    package init(
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
  package struct Network: Sendable, Equatable {
    /// β, in bytes per second and direction.
    package var bytesPerSecond: Double
    /// α, in seconds.
    package var latency: Double
    /// Bytes that a core sends or receives per second if it does nothing else.
    package var bytesPerCoreSecond: Double
    /// The bandwidth of the file system in bytes per second, for all ranks together.
    package var storageBytesPerSecond: Double

    package init(
      bytesPerSecond: Double, latency: Double, bytesPerCoreSecond: Double, storageBytesPerSecond: Double
    ) {
      self.bytesPerSecond = bytesPerSecond
      self.latency = latency
      self.bytesPerCoreSecond = bytesPerCoreSecond
      self.storageBytesPerSecond = storageBytesPerSecond
    }
  }

  /// The properties of the training.
  package struct Workload: Sendable, Equatable {
    /// The number of floats in an arena.
    package var arenaCount: Int
    package var batch: Int
    /// The maximum micro-batch size.
    package var microBatch: Int
    package var averageCount: Int
    /// The number of bytes of a gradient's float on the network.
    package var wireBytes: Int
    package var overlaps: Bool
    /// Whether ranks with one micro-batch give gradients back as they are added up.
    package var releasesGradients: Bool

    package init(
      arenaCount: Int, batch: Int, microBatch: Int, averageCount: Int, wireBytes: Int, overlaps: Bool,
      releasesGradients: Bool = false
    ) {
      self.arenaCount = arenaCount
      self.batch = batch
      self.microBatch = microBatch
      self.averageCount = averageCount
      self.wireBytes = wireBytes
      self.overlaps = overlaps
      self.releasesGradients = releasesGradients
    }
  }

  /// The distribution of ranks.
  package struct Arrangement: Sendable, Equatable {
    package var grid: RankGrid
    package var threads: Int
    package var microBatch: Int

    package init(grid: RankGrid, threads: Int, microBatch: Int) {
      self.grid = grid
      self.threads = threads
      self.microBatch = microBatch
    }
  }

  /// The prediction. Times are in seconds per step unless stated otherwise.
  package struct Forecast: Sendable, Equatable {
    package var arrangement: Arrangement
    package var stepSeconds: Double
    package var computeSeconds: Double
    /// The time of network communication, hidden or not.
    package var networkSeconds: Double
    /// The part of this and of exchange within machines that the computation waits for.
    package var exposedSeconds: Double
    package var updateSeconds: Double
    package var imagesPerSecond: Double
    package var bytesPerRank: Int
    package var checkpointBytes: Int
    package var checkpointSeconds: Double
    /// How long a background save interrupts training.
    package var checkpointPause: Double
    /// The number of messages that a rank sends over the network in a step, and the size of the largest in bytes.
    package var messagesPerRank: Int
    package var largestMessage: Int
  }

  package let machine: Machine
  package let network: Network
  package let workload: Workload

  package init(machine: Machine, network: Network, workload: Workload) {
    self.machine = machine
    self.network = network
    self.workload = workload
  }

  /// The fastest distribution of ranks over machines; nil if there are more machines than images.
  package func best(nodes: Int, coresPerNode: Int, ranksPerNode: Int? = nil) -> Forecast? {
    let slots = ranksPerNode.map { [$0] } ?? (1...coresPerNode).filter { coresPerNode.isMultiple(of: $0) }
    let predictions = slots.compactMap { slots -> Forecast? in
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
  package func predict(_ arrangement: Arrangement) -> Forecast {
    let grid = arrangement.grid
    let tree = MicroBatchTree(leafCount: workload.batch / arrangement.microBatch)
    let busiest = tree.leafRanges(ofRanks: grid.rankCount).map(\.count).max() ?? 0
    let sharding = Sharding(arenaCount: workload.arenaCount, grid: grid)
    let amdahl = machine.serialShare + (1 - machine.serialShare) / Double(arrangement.threads)
    let forward = machine.forward.seconds(images: arrangement.microBatch) * amdahl
    let backward = machine.backward.seconds(images: arrangement.microBatch) * amdahl
    let compute = Double(busiest) * (forward + backward)

    let sums = tree.merging(tree.maximalSubtrees(of: tree.leafRanges(ofRanks: grid.rankCount)[0])).sums.count
    // Within a machine, every rank adds the other ranks' sums in its section where they are: two are read and one is
    // written. Parameters are shared.
    let insideBytes = Double(workload.arenaCount * 4 * sums * (grid.slotCount - 1))
    let inside = 3 * insideBytes / machine.allCoresCopiedBytesPerSecond
    let gradients = transfer(sharding, bytesPerFloat: workload.wireBytes, sums: sums, inside: inside)
    let parameters = transfer(sharding, bytesPerFloat: 4, sums: 1, inside: 0)
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
    let isReleased = workload.releasesGradients && grid.slotCount > 1 && busiest == 1
    let gradientBytes = isReleased ? arena / grid.slotCount : arena * buffers
    let bytes =
      arena / grid.slotCount + gradientBytes + owned * 4 * (state - 1) + owned * 4 * state
      + Int(machine.activationBytesPerImage * Double(arrangement.microBatch)) + 4 * sharding.bucketSize * 16
    let checkpoint = arena * state
    let levelPeers = grid.nodeCount - 1
    return Forecast(
      arrangement: arrangement, stepSeconds: step, computeSeconds: compute,
      networkSeconds: gradients.network + parameters.network, exposedSeconds: exposed, updateSeconds: update,
      imagesPerSecond: Double(workload.batch) / step, bytesPerRank: bytes, checkpointBytes: checkpoint,
      checkpointSeconds: Double(checkpoint) / network.storageBytesPerSecond,
      checkpointPause: Double(owned * 4 * state) / machine.copiedBytesPerSecond,
      messagesPerRank: sharding.buckets.count * levelPeers * (sums + 1),
      largestMessage: levelPeers == 0 ? 0 : 4 * (sharding.buckets.first.map { $0.count / grid.rankCount } ?? 0))
  }

  /// The transfer of an arena to its owners, or back.
  /// - Parameter inside: the seconds that it takes within a machine.
  private func transfer(
    _ sharding: Sharding, bytesPerFloat: Int, sums: Int, inside: Double
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
    processor += inside
    seconds += inside
    return (seconds, overNetwork, seconds / buckets, processor)
  }
}
