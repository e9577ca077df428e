import Differentiation
import Kernels
import MessagePassing
import Tensors

/// Adds up gradients as data-parallel programs usually do: each rank those of its own micro-batches, one on top of the
/// other, and MPI_Allreduce the sums of all ranks.
///
/// This is not deterministic over rank counts: where the micro-batches are cut into runs, and how the library adds up
/// the ranks' sums, both change the rounding. It exists for the benchmark, which compares `GradientAveraging` with it.
package final class PlainGradientSum: GradientReduction {
  package let tree: MicroBatchTree
  package let localMicroBatches: Range<Int>

  private let communicator: Communicator
  private let workers: WorkerPool
  private let profiler: Profiler?
  private let sum: Arena
  /// How many micro-batches of the step are in `sum`.
  private var added = 0

  package init(
    layout: ParameterLayout, tree: MicroBatchTree, communicator: Communicator, workers: WorkerPool,
    profiler: Profiler? = nil
  ) {
    self.communicator = communicator
    self.workers = workers
    self.profiler = profiler
    self.tree = tree
    localMicroBatches = tree.leafRanges(ofRanks: communicator.size)[communicator.rank]
    sum = Arena(layout)
  }

  /// The sum itself, as zeros for the first micro-batch: backward passes add to what is there.
  package func leaf() -> Arena {
    if added == 0 {
      profiler.measure(.gradientClearing, Work(floats: sum.count)) { sum.buffer.clear(on: workers) }
    }
    return sum
  }

  package func parameterIsFinal(_ entry: ParameterEntry) {}

  package func finishLeaf() { added += 1 }

  package func finish() throws -> UnsafeMutablePointer<Float> {
    precondition(added == localMicroBatches.count, "some of micro-batches \(localMicroBatches) are missing")
    added = 0
    if communicator.size > 1 {
      // The sums are read and overwritten.
      try profiler.measure(.gradientExchange, Work(floats: 2 * sum.count)) {
        try communicator.allReduceSum(sum.buffer)
      }
    }
    return sum.pointer
  }
}
