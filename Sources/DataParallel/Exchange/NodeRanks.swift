import Failures
import MessagePassing
import Ranks
import Tensors

/// The ranks of this rank's node, which share memory if the system lets them.
final class NodeRanks {
  private let ranks: SplitCommunicator
  private let job: Communicator
  /// Why some ranks cannot share memory, with the lowest of them; nil if all can. The same on all ranks.
  private(set) var failure: String?

  /// Collective over the job. nil if there is one rank per node.
  init?(of job: Communicator, grid: RankGrid) throws {
    guard grid.slotCount > 1 else { return nil }
    self.job = job
    ranks = try job.split(group: grid.node(of: job.rank))!
  }

  /// Whether this is the first rank of the node.
  var isFirst: Bool { ranks.communicator.rank == 0 }

  /// Waits for the other ranks of the node.
  func barrier() throws { try ranks.communicator.barrier() }

  /// An arena that all ranks of the node have in memory together, and some of each rank that all can access. They hold
  /// zeros. Collective over the job.
  ///
  /// - Parameter gradientCounts: how many arenas each rank of the node gets.
  /// - Returns: nil on all ranks if those of some node cannot share memory, with the reason in `failure`.
  func share(
    _ layout: ParameterLayout, gradientCounts: [Int]? = nil
  ) throws -> (parameters: Arena, gradients: [[FloatBuffer]])? {
    let counts = gradientCounts ?? [Int](repeating: 0, count: ranks.communicator.size)
    var (memory, reason): (NodeMemory?, String?)
    do {
      memory = try NodeMemory(
        of: ranks.communicator, counts: [counts[0] + 1] + counts.dropFirst(), size: layout.arenaCount)
    } catch let known as JobFailure {
      reason = known.message
    }
    let lowest = try job.allReduceMinimum(reason == nil ? job.size : job.rank)
    guard lowest == job.size, let memory else {
      failure = "rank \(lowest): \(try job.broadcast(encoding: reason, from: lowest))"
      return nil
    }
    let gradients = [Array(memory.buffers[0].dropFirst())] + memory.buffers.dropFirst()
    return (Arena(layout, in: memory.buffers[0][0]), gradients)
  }
}
