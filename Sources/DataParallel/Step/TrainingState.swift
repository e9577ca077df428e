import Checkpoints
import Tensors

/// The part of a training run that a checkpoint stores; of each tensor, this rank's pieces.
package struct TrainingState {
  struct Part {
    let group: TensorGroup
    /// Whether the group's buffer is the trainer's own, which further steps overwrite.
    let isLive: Bool
    /// Copies the group's loaded values into the trainer, if it keeps them elsewhere. Collective.
    var restore: () throws -> Void = {}
  }

  let parts: [Part]

  /// The groups to save, or to load into.
  package var groups: [TensorGroup] { parts.map(\.group) }

  /// Copies that further steps do not change.
  package func copied() -> [TensorGroup] { parts.map { $0.isLive ? $0.group.copied() : $0.group } }

  /// Call it after the groups were loaded from a checkpoint: the trainer continues from there. Collective.
  package func restore() throws { for part in parts { try part.restore() } }
}
