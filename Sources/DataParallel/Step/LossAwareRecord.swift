import Checkpoints
import Diffusion
import MessagePassing
import Tensors

/// The stored form of `LossAwareSteps`: the group `loss_aware_steps` of a checkpoint with the last losses of each step.
/// All ranks hold the same data; rank 0 writes and reads it.
struct LossAwareRecord {
  private let arena: Arena
  private let history: ParameterEntry
  private let counts: ParameterEntry

  init(_ steps: LossAwareSteps) {
    var layout = ParameterLayout()
    history = layout.add("history", shape: [steps.steps, LossAwareSteps.historyLength], order: .io)
    counts = layout.add("counts", shape: [steps.steps], order: .c)
    arena = Arena(layout)
    arena.tensor(history).copy(steps.history)
    arena.tensor(counts).copy(steps.counts.map(Float.init))
  }

  var steps: LossAwareSteps {
    LossAwareSteps(history: arena.tensor(history).elements, counts: arena.tensor(counts).elements.map { Int($0) })
  }

  /// The group for a file of all ranks, where one rank owns the whole record.
  func group(isOwner: Bool) -> TensorGroup {
    TensorGroup(
      path: CheckpointGroup.lossAwareSteps, layout: arena.layout, ranges: isOwner ? [0..<arena.count] : [],
      values: isOwner ? arena.buffer : FloatBuffer(count: 0))
  }

  /// Sends rank 0's record to all ranks. Collective.
  func share(_ communicator: Communicator) throws { try communicator.broadcast(arena.buffer, from: 0) }
}
