import MessagePassing
import Synchronization
import Tensors

/// Sends each bucket of the ranks' gradients to the owners of its pieces, level by level of a `ReductionPlan`, and adds
/// the parts up there. Steps follow one another; within a step, buckets follow in the order in which the backward pass
/// finishes them, from the end of the arena.
///
/// `begin` and `publish` are called by the thread that computes, `advance` by the one that moves messages.
final class GradientExchange: BackgroundWork, @unchecked Sendable {
  /// In the order of the arena.
  private let buckets: [GradientBucket]
  private var queue: BucketQueue<GradientBucket>
  /// Gradients that have become final since the last `advance`.
  private let published = Mutex<[FinalGradients]>([])
  /// The gradients taken over by `advance`.
  private var taken: [FinalGradients] = []
  private let isDoneFlag = Atomic<Bool>(true)

  /// A final bucket of one of this rank's sums.
  private struct FinalGradients {
    let bucket: Int
    /// The index among this rank's sums.
    let sum: Int
    let arena: FloatBuffer
  }

  /// - Parameters:
  ///   - roundsBetweenNodes: whether sums are sent as `BFloat16` between nodes.
  ///   - shared: the arenas of the sums of each rank of this node, if they share memory.
  ///   - releasesSums: whether each bucket is released there once it is done, but for this rank's piece of the total.
  init(
    plan: ReductionPlan, communicator: Communicator, roundsBetweenNodes: Bool = false, shared: [[FloatBuffer]]? = nil,
    releasesSums: Bool = false
  ) {
    precondition(plan.levels.allSatisfy { $0.sums.allSatisfy { $0.count <= MessageTag.sumLimit } })
    let indices = plan.sharding.buckets.indices
    let windowCount = min(indices.count, plan.sharding.bucketsInFlight)
    let windows = ReceiveBufferPool(
      (0..<windowCount).map { _ in
        ReceiveBuffers(plan, roundsBetweenNodes: roundsBetweenNodes, receivesInNode: shared == nil)
      })
    buckets = indices.map {
      GradientBucket($0, plan, communicator, windows, shared: shared, releasesSums: releasesSums)
    }
    queue = BucketQueue(buckets.reversed(), maximumOpenCount: windowCount)
    let sumCount = plan.levels[0].ownSums.count * buckets.count
    published.withLock { $0.reserveCapacity(sumCount) }
    taken.reserveCapacity(sumCount)
  }

  var isDone: Bool { isDoneFlag.load(ordering: .acquiring) }

  /// Starts a step. The previous one must be done.
  func begin() {
    precondition(isDone, "the gradients of the previous step are still being exchanged")
    for bucket in buckets { bucket.begin() }
    queue.begin()
    isDoneFlag.store(buckets.isEmpty, ordering: .releasing)
  }

  /// Hands over a final bucket of one of this rank's sums. When the step is done, the arena of the first sum contains
  /// the total of this rank's pieces.
  /// - Parameter sum: the index of the sum among those of this rank.
  func publish(bucket: Int, ofSum sum: Int, arena: FloatBuffer) {
    published.withLock { $0.append(FinalGradients(bucket: bucket, sum: sum, arena: arena)) }
  }

  func advance() throws -> Bool {
    published.withLock { swap(&$0, &taken) }
    var hasMoved = !taken.isEmpty
    for gradients in taken { try buckets[gradients.bucket].addOwnSum(gradients.sum, gradients.arena) }
    taken.removeAll(keepingCapacity: true)
    if try queue.advance() { hasMoved = true }
    if queue.isDone { isDoneFlag.store(true, ordering: .releasing) }
    return hasMoved
  }
}
