import Configuration
import MessagePassing
import Network
import Ranks

extension TrainingRun {
  /// Checks that the ranks' machines have enough memory for the training, before it is allocated. Collective.
  /// - Throws: `JobFailure` on all ranks, naming the keys and the sizes.
  static func requireMemory(
    for task: any RunTask, _ configuration: RunConfiguration, _ communicator: Communicator
  ) throws {
    let limits = try MemoryLimits(of: communicator)
    let network = task.networkConfiguration
    try communicator.together {
      let ranks = communicator.size
      try configuration.trainingMemory(task.model.layout, network, rankCount: ranks).require(limits)
      if task.drawingNetwork != nil {
        try configuration.drawnImagesMemory(network, rankCount: ranks).require(limits)
      }
    }
  }
}
