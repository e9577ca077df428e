import Optimisation
import Tensors

/// Adds up the gradients of all micro-batches of a step over all ranks, and leaves each rank its shard of the sum.
///
/// Every rank takes a `leaf` for each micro-batch of its `run` in order, adds the gradients to it and hands it to `add`.
/// Then all ranks call `finish`.
public protocol GradientReduction: AnyObject {
  /// The tree over the micro-batches, which says how ranks share them.
  var tree: MicroBatchTree { get }
  /// The micro-batches of this rank.
  var run: Range<Int> { get }
  /// What each rank owns of the arena.
  var shards: [Range<Int>] { get }
  /// This rank's shard.
  var shard: Range<Int> { get }

  /// Where the gradients of the next micro-batch are to be added, each once to what is there.
  func leaf() -> Arena

  /// Takes the gradients of the next micro-batch of this rank's run.
  func add(_ leaf: Arena)

  /// The sum over all micro-batches of all ranks, of this rank's shard. Collective; valid until the next `leaf`.
  func finish() throws -> UnsafeMutablePointer<Float>
}

/// The ways to add up gradients over ranks.
public enum ReductionMethod: String, Sendable, CaseIterable {
  /// `GradientAveraging`: the same bits on any number of ranks. What training does.
  case tree
  /// `PlainGradientSum`, which depends on the number of ranks. To measure what the tree costs.
  case allreduce
}
