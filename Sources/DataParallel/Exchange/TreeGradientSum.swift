import Configuration
import Differentiation
import Kernels
import MessagePassing
import Ranks
import Tensors

/// Adds up the gradients of all micro-batches of a step, over all ranks, in the fixed order of `MicroBatchTree`.
///
/// Each rank adds its leaves up into their maximal subtrees as they are computed; a backward pass whose left sibling is
/// done adds to the sibling's arena. As soon as a bucket of a subtree's sum is final, in the middle of a backward pass,
/// it is sent to the owners of its pieces (`GradientExchange`), which perform the remaining additions. MPI only moves
/// bytes; every addition is done here, so the result is bit-identical for any number of ranks. The traffic is that of a
/// reduce-scatter.
package final class TreeGradientSum: GradientSum {
  package let localMicroBatches: Range<Int>

  private let tree: MicroBatchTree
  private let layout: ParameterLayout
  private let sharding: Sharding
  private let workers: WorkerPool
  private let profiler: Profiler?
  /// nil for a single rank.
  private let exchange: GradientExchange?
  private let loop: ProgressLoop
  /// Whether gradients in shared memory are released bucket by bucket, once they are added up.
  private let releasesSums: Bool
  private var accumulator: SubtreeAccumulator<Arena>
  private var idle: [Arena] = []
  /// The current leaf, and the number of parameters in each bucket that are not final yet.
  private var current: SubtreeAccumulator<Arena>.Leaf?
  private var unfinishedParameters: [Int]
  /// The number of parameters that touch each bucket.
  private let parametersPerBucket: [Int]

  /// - Parameters:
  ///   - loop: the loop that moves the messages.
  ///   - shared: the arenas of each rank of this node, `bufferCounts` of them, if they share memory. Then a rank may call
  ///     `leaf` only after all have returned from `finish`, which a collective call in between makes sure of.
  ///   - releasesGradients: whether these arenas' memory is given back as they are added up. Taking it again costs some
  ///     microseconds a page, since the system clears it.
  package init(
    layout: ParameterLayout, tree: MicroBatchTree, sharding: Sharding, communicator: Communicator,
    workers: WorkerPool, loop: ProgressLoop, wire: RunConfiguration.TrainingSettings.WireFormat = .float32,
    shared: [[FloatBuffer]]? = nil, releasesGradients: Bool = false, profiler: Profiler? = nil
  ) {
    self.layout = layout
    self.tree = tree
    self.sharding = sharding
    self.workers = workers
    self.profiler = profiler
    self.loop = loop
    localMicroBatches = tree.leafRanges(ofRanks: communicator.size)[communicator.rank]
    accumulator = SubtreeAccumulator(tree: tree, leaves: localMicroBatches)
    // With more micro-batches than ranks, all are in use when activations take the most memory.
    releasesSums = releasesGradients && shared != nil && tree.leafCount <= communicator.size
    exchange =
      communicator.size == 1
      ? nil
      : GradientExchange(
        plan: ReductionPlan(tree: tree, sharding: sharding, rank: communicator.rank), communicator: communicator,
        roundsBetweenNodes: wire == .bfloat16, shared: shared, releasesSums: releasesSums)
    idle = shared?[sharding.grid.slot(of: communicator.rank)].map { Arena(layout, in: $0) } ?? []
    var counts = [Int](repeating: 0, count: sharding.buckets.count)
    for entry in layout.entries { for bucket in sharding.buckets(touching: entry.range) { counts[bucket] += 1 } }
    parametersPerBucket = counts
    unfinishedParameters = counts
  }

  /// The number of arenas that each rank of a node needs for its sums.
  package static func bufferCounts(tree: MicroBatchTree, grid: RankGrid, node: Int) -> [Int] {
    let leaves = tree.leafRanges(ofRanks: grid.rankCount)
    return grid.ranks(ofNode: node).map { SubtreeAccumulator.bufferCount(tree: tree, leaves: leaves[$0]) }
  }

  /// Zeros, or the gradients of the next micro-batch's left sibling in the tree.
  package func leaf() -> Arena {
    if accumulator.sums.isEmpty { exchange?.begin() }
    let leaf = accumulator.start {
      guard let arena = idle.popLast() else { return Arena(layout) }
      if releasesSums && NodeMemory.release(0..<arena.count, of: arena.buffer) { return arena }
      profiler.measure(.gradientClearing, Work(floats: arena.count)) { arena.buffer.clear(on: workers) }
      return arena
    }
    current = leaf
    for bucket in parametersPerBucket.indices { unfinishedParameters[bucket] = parametersPerBucket[bucket] }
    return leaf.buffer
  }

  package func parameterIsFinal(_ entry: ParameterEntry) {
    // From the end, which is the order in which the other ranks receive them.
    for bucket in sharding.buckets(touching: entry.range).reversed() {
      unfinishedParameters[bucket] -= 1
      if unfinishedParameters[bucket] == 0 { bucketIsFinal(bucket) }
    }
  }

  package func finishLeaf() {
    guard let leaf = current else { preconditionFailure("no leaf was started") }
    // Buckets of parameters that were not used; from the end, like the others.
    for bucket in unfinishedParameters.indices.reversed()
    where unfinishedParameters[bucket] > 0 || parametersPerBucket[bucket] == 0 { bucketIsFinal(bucket) }
    accumulator.finish(leaf)
    idle += leaf.additions.map(\.right)
    current = nil
  }

  /// Performs the leaf's additions in a bucket, and hands it over if it is part of a subtree's final sum.
  private func bucketIsFinal(_ bucket: Int) {
    guard let leaf = current else { preconditionFailure("no leaf was started") }
    let range = sharding.buckets[bucket]
    for addition in leaf.additions {
      profiler.measure(.microBatchSum, Work(floats: 3 * range.count)) {
        Elementwise.add(addition.right[range], into: addition.left[range], workers: workers)
      }
    }
    if let index = leaf.finalIndex, let exchange {
      exchange.publish(bucket: bucket, ofSum: index, arena: leaf.sum.buffer)
      // Not earlier: until then the other ranks have nothing to send either, and polling costs time.
      loop.start(exchange)
      if releasesSums { loop.poll() }
    }
  }

  package func finish() throws -> Arena {
    precondition(accumulator.isComplete, "some of micro-batches \(localMicroBatches) are missing")
    defer {
      idle += accumulator.sums.map(\.buffer)
      accumulator = SubtreeAccumulator(tree: tree, leaves: localMicroBatches)
    }
    if let exchange {
      // Pieces of other ranks are sent once per sum of this rank; this rank's pieces are received once per sum of the
      // others.
      try profiler.measure(.gradientExchange, Work(floats: 2 * layout.arenaCount)) {
        try loop.wait { exchange.isDone }
      }
    }
    return accumulator.sums[0].buffer
  }
}
