import Checkpoints
import Optimisation
import Tensors

/// The state as a checkpoint has it.
extension DataParallelTrainer {
  /// What this rank holds of the optimiser's moments and the averages, with the groups of a checkpoint that have it.
  private var shardedState: [(path: String, values: FloatBuffer)] {
    averages.map { (CheckpointGroup.average($0.decay), $0.average) } + [
      (CheckpointGroup.firstMoment, adam.firstMoment), (CheckpointGroup.secondMoment, adam.secondMoment),
    ]
  }

  /// The size of that in bytes.
  package var shardedStateBytes: Int {
    shardedState.reduce(0) { $0 + $1.values.count } * MemoryLayout<Float>.stride
  }

  /// The current state, with the parameters in a separate buffer.
  package var state: TrainingState {
    let model = tensorGroup(CheckpointGroup.model, ofArena: arena)
    let parameters = TrainingState.Part(group: model, isLive: false) { [unowned self] in
      scatter(model.values, to: arena)
      beginExchange(of: arena, isShared: sharesParameters)
      try settle()
    }
    let sharded = shardedState.map { TrainingState.Part(group: tensorGroup($0.path, $0.values), isLive: true) }
    return TrainingState(parts: [parameters] + sharded + lossAwareParts)
  }

  /// The size in bytes of a copy of the state on this rank, without the few kilobytes of `lossAwareParts`. Known
  /// without a copy of the parameters, which `state` makes.
  package var stateCopyBytes: Int { shardedStateBytes + adam.count * MemoryLayout<Float>.stride }

  /// A group of a file whose tensors have the parameters' names and shapes.
  /// - Parameter arena: what this rank owns of it is copied.
  package func tensorGroup(_ path: String, ofArena arena: Arena) -> TensorGroup {
    let values = FloatBuffer(count: adam.count)
    for piece in pieces { values[piece.part].copy(arena[piece.range]) }
    return tensorGroup(path, values)
  }

  private func tensorGroup(_ path: String, _ values: FloatBuffer) -> TensorGroup {
    TensorGroup(path: path, layout: task.model.layout, ranges: pieces.map(\.range), values: values)
  }

  private var lossAwareParts: [TrainingState.Part] {
    guard let record = lossAware.map({ LossAwareRecord($0) }) else { return [] }
    let part = TrainingState.Part(group: record.group(isOwner: communicator.rank == 0), isLive: false) {
      [unowned self] in
      try record.share(communicator)
      lossAware = record.steps
    }
    return [part]
  }
}
