import Tensors

/// Adds up the gradients of all micro-batches of a step over all ranks, and leaves each rank the sums of what it owns.
///
/// Every rank takes a `leaf` for each micro-batch of its `localMicroBatches` in order, adds the gradients to it, says of each parameter
/// when nothing more will be added to its gradient, and calls `finishLeaf`. Then all ranks call `finish`.
package protocol GradientReduction: AnyObject {
  /// The tree over the micro-batches, which says how ranks share them.
  var tree: MicroBatchTree { get }
  /// The micro-batches of this rank.
  var localMicroBatches: Range<Int> { get }

  /// Where the gradients of the next micro-batch are to be added, each once to what is there.
  func leaf() -> Arena

  /// Says that nothing more will be added to a parameter's gradient in this leaf.
  func parameterIsFinal(_ entry: ParameterEntry)

  /// Ends a leaf: whatever was not said to be final is so now.
  func finishLeaf()

  /// The sum over all micro-batches of all ranks, in an arena of which only the pieces that this rank owns hold it.
  /// Collective; valid until the next `leaf`.
  func finish() throws -> UnsafeMutablePointer<Float>
}

/// The ways to add up gradients over ranks.
public enum ReductionMethod: String, Sendable, CaseIterable {
  /// `GradientAveraging`: the same bits on any number of ranks. What training does.
  case tree
  /// `PlainGradientSum`, which depends on the number of ranks. To measure what the tree costs.
  case allreduce
}
