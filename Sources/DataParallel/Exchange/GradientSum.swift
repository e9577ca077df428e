import Tensors

/// Adds up the gradients of all micro-batches of a step over all ranks. Each rank gets the sums of the pieces that it
/// owns.
///
/// Every rank takes a `leaf` for each micro-batch of its `localMicroBatches` in order, adds the gradients to it, calls
/// `parameterIsFinal` for each parameter whose gradient is complete, and then `finishLeaf`. Finally, all ranks call
/// `finish`.
package protocol GradientSum: AnyObject {
  /// The micro-batches of this rank.
  var localMicroBatches: Range<Int> { get }

  /// The arena to which the gradients of the next micro-batch are added, each element once.
  func leaf() -> Arena

  /// Marks a parameter's gradient in this leaf as complete.
  func parameterIsFinal(_ entry: ParameterEntry)

  /// Ends a leaf: gradients that were not marked as complete are complete now.
  func finishLeaf()

  /// The sum over all micro-batches of all ranks. Only this rank's pieces of the arena are valid, until the next
  /// `leaf`. Collective.
  func finish() throws -> Arena
}

/// How gradients are added up over ranks.
package enum ReductionMethod: String, Sendable, CaseIterable {
  /// `TreeGradientSum`: bit-identical for any number of ranks. Used for training.
  case tree
  /// `PlainGradientSum`, which depends on the number of ranks. For measuring the cost of the tree.
  case allreduce
}
