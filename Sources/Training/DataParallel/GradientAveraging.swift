import Differentiation
import Jobs
import Kernels
import MessagePassing
import Optimisation
import Tensors

/// Adds up the gradients of all micro-batches of a step, on all ranks, in the one order of `MicroBatchTree`.
///
/// A rank adds its leaves into the maximal subtrees of its run as they come; a backward pass whose left sibling is done
/// adds to that one's arena. Then each rank sends every shard's owner its subtree sums of that shard, and the owner makes
/// the remaining additions. The library only moves bytes; every addition is ours, so the bits are the same on any number
/// of ranks. What moves is what a reduce-scatter moves.
public final class GradientAveraging: GradientReduction {
  public let tree: MicroBatchTree
  /// The micro-batches of this rank.
  public let run: Range<Int>
  /// What each rank owns of the arena.
  public let shards: [Range<Int>]

  private let communicator: Communicator
  private let workers: WorkerPool
  private let profiler: Profiler?
  private let layout: ParameterLayout
  /// The maximal subtrees of each rank.
  private let subtrees: [[MicroBatchTree.Node]]
  /// Where each rank's first subtree goes among the received ones.
  private let places: [Int]
  private let additions: [MicroBatchTree.Addition]
  private var accumulator: SubtreeAccumulator<Arena>
  private var idle: [Arena] = []
  private let received: FloatBuffer

  /// Floats of a shard that move together: enough for the network's latency, little enough to stay in cache.
  private static let bucketSize = 1 << 18

  public init(
    layout: ParameterLayout, microBatchCount: Int, communicator: Communicator, workers: WorkerPool,
    profiler: Profiler? = nil
  ) {
    self.communicator = communicator
    self.workers = workers
    self.profiler = profiler
    self.layout = layout
    let tree = MicroBatchTree(leafCount: microBatchCount)
    let runs = tree.rankRuns(communicator.size)
    let subtrees = runs.map { tree.maximalSubtrees(of: $0) }
    self.tree = tree
    self.subtrees = subtrees
    run = runs[communicator.rank]
    shards = layout.shards(communicator.size)
    places = subtrees.indices.map { rank in subtrees[..<rank].reduce(0) { $0 + $1.count } }
    additions = tree.additions(of: subtrees.flatMap { $0 })
    accumulator = SubtreeAccumulator(tree: tree, run: run)
    received = FloatBuffer(
      count: communicator.size == 1 ? 0 : Self.bucketSize * subtrees.reduce(0) { $0 + $1.count })
  }

  /// This rank's shard.
  public var shard: Range<Int> { shards[communicator.rank] }

  /// Zeros, or the gradients of the next micro-batch's sibling in the tree.
  public func leaf() -> Arena {
    if let sibling = accumulator.siblingOfNextLeaf { return sibling }
    guard let arena = idle.popLast() else { return Arena(layout) }
    profiler.measure(.gradientClearing, Work(floats: arena.count)) { arena.buffer.clear(on: workers) }
    return arena
  }

  /// Takes the gradients of the next micro-batch of this rank's run.
  public func add(_ leaf: Arena) {
    if accumulator.siblingOfNextLeaf?.pointer == leaf.pointer {
      idle += accumulator.appendAddedToSibling(add: addUp)
    } else {
      idle += accumulator.append(leaf, add: addUp)
    }
  }

  private func addUp(_ right: Arena, into left: Arena) {
    profiler.measure(.microBatchSum, Work(floats: 3 * left.count)) {
      Elementwise.add(right.pointer, into: left.pointer, count: left.count, workers: workers)
    }
  }

  /// The sum over all micro-batches of all ranks, of this rank's shard. Collective; valid until the next `leaf`.
  public func finish() throws -> UnsafeMutablePointer<Float> {
    precondition(accumulator.isComplete, "micro-batches of run \(run) are missing")
    defer {
      idle += accumulator.sums.map(\.buffer)
      accumulator = SubtreeAccumulator(tree: tree, run: run)
    }
    let sum = accumulator.sums[0].buffer.pointer + shard.lowerBound
    if communicator.size == 1 { return sum }
    let longest = shards.map(\.count).max() ?? 0
    let sent = (layout.arenaCount - shard.count) * subtrees[communicator.rank].count
    let received = shard.count * (subtrees.reduce(0) { $0 + $1.count } - subtrees[communicator.rank].count)
    try profiler.measure(.gradientExchange, Work(floats: sent + received)) {
      for start in stride(from: 0, to: longest, by: Self.bucketSize) {
        try finishBucket(startingAt: start, into: sum)
      }
    }
    return sum
  }

  /// - Parameter sum: what this rank owns of its first subtree's sum. Once a bucket of it was received here with those of
  ///   all others, it is free to take the bucket's total.
  private func finishBucket(startingAt start: Int, into sum: UnsafeMutablePointer<Float>) throws {
    let parts = shards.map { part(of: $0, bucketStart: start) }
    let mine = parts[communicator.rank]
    for index in 0..<(subtrees.map(\.count).max() ?? 0) {
      let sends = index < subtrees[communicator.rank].count
      let source = accumulator.sums[sends ? index : 0].buffer
      try communicator.allToAllVariable(
        send: source.pointer, sendCounts: parts.map { sends ? $0.count : 0 },
        sendDisplacements: parts.map(\.lowerBound),
        receive: received.pointer, receiveCounts: subtrees.map { index < $0.count ? mine.count : 0 },
        receiveDisplacements: zip(places, subtrees).map { ($0 + min(index, $1.count - 1)) * Self.bucketSize })
    }
    for addition in additions {
      Elementwise.add(
        received.pointer + addition.right * Self.bucketSize, into: received.pointer + addition.left * Self.bucketSize,
        count: mine.count, workers: workers)
    }
    if !mine.isEmpty { (sum + start).update(from: received.pointer, count: mine.count) }
  }

  /// The part of a shard that belongs to a bucket, from the start of the arena.
  private func part(of shard: Range<Int>, bucketStart: Int) -> Range<Int> {
    let start = min(shard.lowerBound + bucketStart, shard.upperBound)
    return start..<min(start + Self.bucketSize, shard.upperBound)
  }
}
