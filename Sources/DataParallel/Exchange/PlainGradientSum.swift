import Differentiation
import Kernels
import MessagePassing
import Tensors

/// Adds up gradients in the usual way of data-parallel programs: each rank adds those of its micro-batches in order,
/// and MPI_Allreduce adds the sums of all ranks.
///
/// The result depends on the number of ranks: both the division of the micro-batches and the library's order of
/// additions change the rounding. It exists for the benchmark, which compares `TreeGradientSum` with it.
package final class PlainGradientSum: GradientSum {
  package let localMicroBatches: Range<Int>

  private let communicator: Communicator
  private let workers: WorkerPool
  private let profiler: Profiler?
  private let sum: Arena
  /// The number of micro-batches of the step that are in `sum`.
  private var added = 0

  package init(
    layout: ParameterLayout, tree: MicroBatchTree, communicator: Communicator, workers: WorkerPool,
    profiler: Profiler? = nil
  ) {
    self.communicator = communicator
    self.workers = workers
    self.profiler = profiler
    localMicroBatches = tree.leafRanges(ofRanks: communicator.size)[communicator.rank]
    sum = Arena(layout)
  }

  /// The sum itself, cleared before the first micro-batch: backward passes add to it.
  package func leaf() -> Arena {
    if added == 0 {
      profiler.measure(.gradientClearing, Work(floats: sum.count)) { sum.buffer.clear(on: workers) }
    }
    return sum
  }

  package func parameterIsFinal(_ entry: ParameterEntry) {}

  package func finishLeaf() { added += 1 }

  package func finish() throws -> Arena {
    precondition(added == localMicroBatches.count, "some of micro-batches \(localMicroBatches) are missing")
    added = 0
    if communicator.size > 1 {
      // The sums are read and overwritten.
      try profiler.measure(.gradientExchange, Work(floats: 2 * sum.count)) {
        try communicator.allReduceSum(sum.buffer)
      }
    }
    return sum
  }
}
