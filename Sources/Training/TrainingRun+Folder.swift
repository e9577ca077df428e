import Checkpoints
import Configuration
import DataParallel
import Datasets
import Failures
import Files
import Foundation
import HDF5
import MessagePassing
import Ranks

// The run's folder before the first step.
extension TrainingRun {
  /// Prepares the run's folder on rank 0 and locks it against other jobs, and checks that the other ranks see it.
  /// Collective.
  static func prepare(
    _ claim: RunFolderClaim, _ request: Request, _ configuration: RunConfiguration, _ communicator: Communicator
  ) throws {
    let folder = claim.folder
    let traceFolder = request.trace.map { folderPath(of: $0.path) }
    try communicator.together {
      if let trace = request.trace {
        do throws(HDF5Error) {
          try HDF5File.checkShareable(trace.path)
        } catch {
          throw InputError("--trace: \(error.message)")
        }
      }
      guard communicator.rank == 0 else { return }
      if let trace = request.trace {
        try check(
          trace: trace.path, isInRunFolder: traceFolder == standardisedPath(folder.path), folder, request, configuration
        )
      }
      try claim.take(mustBeFresh: !request.resumes)
    }
    try communicator.requireShared(folder: folder.path)
    if let traceFolder { try communicator.requireShared(folder: traceFolder) }
    if request.resumes { try communicator.onRankZero { try folder.removeUnfinishedCheckpoints() } }
  }

  /// Checks that a trace can be written and replaces nothing that the run reads or writes.
  private static func check(
    trace: String, isInRunFolder: Bool, _ folder: RunFolder, _ request: Request, _ configuration: RunConfiguration
  ) throws {
    let output = NamedFile("--trace", trace)
    // The run's own folder may not exist yet.
    let name = lastPart(ofPath: trace)
    guard !isInRunFolder || !folder.parts.contains("\(folder.path)/\(name)") else {
      throw FileError("--trace \(trace) is a file of the run itself; choose another")
    }
    let data = DatasetCatalog.location(name: configuration.data.name, path: configuration.data.path)
    try checkApart(
      outputs: isInRunFolder && access(folder.path, F_OK) != 0 ? [] : [output],
      inputs: NamedFile.list(("--config", request.sources.file), ("data.path", data))
        + folder.parts.map { NamedFile("the run's", $0) })
    if !isInRunFolder { _ = try OutputFile(trace) }
  }

  /// Checks that the checkpoint of the last step could be saved under the present conditions. Collective.
  static func rehearseSaving(
    _ trainer: DataParallelTrainer, _ folder: RunFolder, _ configuration: RunConfiguration, _ communicator: Communicator
  ) throws {
    do {
      try Checkpoint.rehearse(
        path: folder.checkpointPath(step: configuration.training.steps), groups: trainer.state.groups,
        communicator: communicator)
    } catch let error as CheckpointError {
      throw JobFailure(rank: 0, exitStatus: .badInput, message: "checkpoints could not be saved: \(error)")
    }
  }
}
