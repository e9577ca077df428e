import Configuration
import MessagePassing
import Network
import Ranks

extension TrainingRun {
  /// Checks that the ranks' machines have memory for what is to be trained, before any of it is taken. Collective.
  /// - Throws: `JobFailure` on all ranks, with the keys and the figures.
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
