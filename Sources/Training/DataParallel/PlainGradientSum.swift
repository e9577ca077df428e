import Differentiation
import Kernels
import MessagePassing
import Optimisation
import Tensors

/// Adds up gradients as data-parallel programs usually do: each rank those of its own micro-batches, one on top of the
/// other, and MPI_Allreduce the sums of all ranks.
///
/// This is not deterministic over rank counts: where the micro-batches are cut into runs, and how the library adds up
/// the ranks' sums, both change the rounding. It exists for the benchmark, which compares `GradientAveraging` with it.
public final class PlainGradientSum: GradientReduction {
  public let tree: MicroBatchTree
  public let run: Range<Int>
  public let shards: [Range<Int>]

  private let communicator: Communicator
  private let workers: WorkerPool
  private let profiler: Profiler?
  private let sum: Arena
  /// How many micro-batches of the step are in `sum`.
  private var added = 0

  public init(
    layout: ParameterLayout, microBatchCount: Int, communicator: Communicator, workers: WorkerPool,
    profiler: Profiler? = nil
  ) {
    self.communicator = communicator
    self.workers = workers
    self.profiler = profiler
    tree = MicroBatchTree(leafCount: microBatchCount)
    run = tree.rankRuns(communicator.size)[communicator.rank]
    shards = layout.shards(communicator.size)
    sum = Arena(layout)
  }

  public var shard: Range<Int> { shards[communicator.rank] }

  /// The sum itself, as zeros for the first micro-batch: backward passes add to what is there.
  public func leaf() -> Arena {
    if added == 0 {
      profiler.measure(.gradientClearing, Work(floats: sum.count)) { sum.buffer.clear(on: workers) }
    }
    return sum
  }

  public func add(_ leaf: Arena) {
    precondition(leaf.pointer == sum.pointer, "this arena is not the sum")
    added += 1
  }

  public func finish() throws -> UnsafeMutablePointer<Float> {
    precondition(added == run.count, "micro-batches of run \(run) are missing")
    added = 0
    if communicator.size > 1 {
      // The sums are read and overwritten.
      try profiler.measure(.gradientExchange, Work(floats: 2 * sum.count)) {
        try communicator.allReduceSum(UnsafeMutableBufferPointer(start: sum.pointer, count: sum.count))
      }
    }
    return sum.pointer + shard.lowerBound
  }
}
