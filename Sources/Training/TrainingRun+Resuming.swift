import Checkpoints
import Configuration
import DataParallel
import Datasets
import Failures
import MessagePassing
import Reporting

// Resuming from a checkpoint.
extension TrainingRun {
  /// Loads the newest intact checkpoint; step 0 if the folder has none. Collective.
  /// - Returns: the number of steps done, and what has changed since the checkpoint was saved, each in words.
  /// - Throws: `JobFailure` if there are checkpoints but none is intact, or the newest does not fit this run.
  static func resume(
    _ trainer: DataParallelTrainer, from folder: RunFolder, _ request: Request, _ configuration: RunConfiguration,
    _ dataset: any Dataset, _ communicator: Communicator, _ reporter: RunReporter
  ) throws -> (step: Int, changes: [String]) {
    // Rank 0's view of the folder decides: a network file system may show other ranks something else for a while.
    let listing = try communicator.onRankZero { try folder.checkpoints().map(\.path) }
    let paths = try communicator.broadcast(encoding: listing, from: 0)
    for path in paths {
      do {
        let state = trainer.state
        var changes: [String] = []
        let header = try Checkpoint.load(from: path, communicator: communicator) { header in
          // All ranks read the same, so all throw.
          changes = try communicator.together { try changesSince(header, path, request, configuration, dataset) }
          return state.groups
        }
        try state.restore()
        reporter.log.info("Resuming from \(path), step \(header.step).")
        for change in changes { reporter.log.info("\(change)") }
        return (header.step, changes)
      } catch let error as CheckpointError {
        reporter.log.warning("\(error); trying the previous one")
      }
    }
    guard let newest = paths.first else {
      reporter.log.info("There is no checkpoint in \(folder.checkpointsPath) yet; starting at step 0.")
      return (0, [])
    }
    throw JobFailure(
      rank: 0, exitStatus: .badCheckpoint,
      message: "none of the \(paths.count) checkpoints in \(folder.checkpointsPath) is intact "
        + "(the newest is \(newest)); start a new run in another --output, or restore one of them")
  }

  /// What has changed since a checkpoint was saved, each in words.
  /// - Throws: `InputError` and `ConfigurationError` if the run cannot be resumed from it.
  private static func changesSince(
    _ header: CheckpointHeader, _ path: String, _ request: Request, _ configuration: RunConfiguration,
    _ dataset: any Dataset
  ) throws -> [String] {
    guard header.kind == request.kind else {
      throw InputError(
        "\(path) is a \(header.kind.rawValue), not a \(request.kind.rawValue); choose another --output")
    }
    let saved = try RunConfiguration(ofRun: header.configuration, file: path)
    try configuration.checkResumable(saved: saved, otherData: request.allowsOtherData)
    guard header.step <= configuration.training.steps else {
      throw InputError(
        "training.steps is \(configuration.training.steps), but \(header.step) steps are done in \(path); set it to at "
          + "least that many")
    }
    guard header.imageShape == dataset.drawnShape else {
      let (there, here) = (ProgressFormat.dimensions(header.imageShape), ProgressFormat.dimensions(dataset.drawnShape))
      throw InputError(
        "\(path) is for images of \(there), but those of \(dataset.name) are \(here); "
          + "use --initial to start a new run from its weights")
    }
    let savedFields = try header.fields.map { (json) throws(DatasetError) in
      try FieldDescription(json: json, imageShape: header.imageShape, conditions: saved.data.conditions)
    }
    if let misfit = misfit(savedFields, dataset) {
      throw InputError(
        "\(path): \(misfit); set data.path to what it was trained on, or use --initial to start a new run from its weights"
      )
    }
    var changes = configuration.difference(from: saved).map { "\($0.key.name) was \($0.theirs) and is \($0.mine)" }
    let fingerprint = fingerprint(of: dataset)
    if let before = header.dataFingerprint, before != fingerprint {
      guard request.allowsOtherData else {
        let kind = dataset.fields == nil ? "images" : "fields"
        throw InputError(
          "\(path) was trained on other \(kind): the fingerprint of \(dataset.name) was \(before) and is \(fingerprint); "
            + "set data.path to the \(kind) that it was trained on, or use --allow-other-data to continue with these")
      }
      changes.append("the data set's fingerprint was \(before) and is \(fingerprint)")
    }
    if savedFields != dataset.fields {
      guard request.allowsOtherData else {
        throw InputError(
          "\(path) was trained on fields with other statistics or coordinates than \(dataset.name); set data.path to the "
            + "fields that it was trained on, or use --allow-other-data to continue with these")
      }
      changes.append("the statistics or coordinates of the fields differ from before, and are those of \(dataset.name)")
    }
    return changes
  }

  /// Why a model of some channels cannot be trained on those of a data set; nil if they have the same names and units.
  private static func misfit(_ saved: FieldDescription?, _ dataset: any Dataset) -> String? {
    guard let saved, let new = dataset.fields else {
      if saved == nil && dataset.fields == nil { return nil }
      return saved == nil
        ? "it is for images, but \(dataset.name) has fields" : "it is for fields, but \(dataset.name) has images"
    }
    for (before, now) in zip(saved.variables + saved.conditions, new.variables + new.conditions) {
      if before.name != now.name { return "its channel \(before.name) is \(now.name) in \(dataset.name)" }
      if before.units != now.units {
        return "its channel \(before.name) is in \"\(before.units)\", but in \"\(now.units)\" in \(dataset.name)"
      }
    }
    return nil
  }
}
