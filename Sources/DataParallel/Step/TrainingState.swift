import Checkpoints
import Tensors

/// All of a training run that a checkpoint holds, of each tensor what this rank owns.
public struct TrainingState {
  struct Part {
    let group: TensorGroup
    /// Whether the group's buffer is the trainer's own, to which further steps write.
    let isLive: Bool
    /// Brings what was loaded into the group to where the trainer has it, if that is elsewhere. Collective.
    var restore: () throws -> Void = {}
  }

  let parts: [Part]

  /// To write, or to load into.
  public var groups: [TensorGroup] { parts.map(\.group) }

  /// The same in buffers of their own: further steps change none of it.
  public func copied() -> [TensorGroup] { parts.map { $0.isLive ? $0.group.copied() : $0.group } }

  /// To be called after the groups were filled from a checkpoint: the trainer goes on from there. Collective.
  public func restore() throws { for part in parts { try part.restore() } }
}
