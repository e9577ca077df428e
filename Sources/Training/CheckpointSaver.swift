import Checkpoints
import Configuration
import DataParallel
import Failures
import MessagePassing
import Ranks
import Reporting
import Synchronization
import Tensors
import Threads

/// Saves a run's checkpoints: if possible in the background, in a thread on each rank and from a copy of the state;
/// otherwise training waits.
///
/// A save for which the disk has no space is skipped with a warning, and training continues. All calls are collective.
final class CheckpointSaver {
  /// The result of a save, the same on all ranks.
  private enum Outcome: Sendable {
    case saved(path: String)
    case skipped(problem: String)
    /// Not saved, because a group has infinities or NaN.
    case notFinite(group: String)
  }

  /// A save that has begun.
  private struct Running {
    let step: Int
    let mustBeWhole: Bool
    let result = Monitor<(outcome: Outcome, seconds: Double)?>(nil)
  }

  private let world: Communicator
  private let ranks: SplitCommunicator
  private let folder: RunFolder
  /// The number of checkpoints to keep; nil for all.
  private let keptCount: Int?
  private let reporter: RunReporter
  private let mayRunBeside: Bool
  private let activity: SaveActivity
  private let journal: RunJournal?
  /// The number of ranks that share this rank's memory.
  private let ranksOnHost: Int
  private var running: Running?
  /// The newest checkpoint that was saved or resumed from.
  private(set) var last: String?
  /// The duration of the longest save.
  private(set) var longestSeconds = 0.0
  private var hasTold = false

  /// - Parameters:
  ///   - last: the checkpoint that training was resumed from.
  ///   - activity: records when a save starts and ends.
  ///   - journal: records each checkpoint; on rank 0.
  init(
    folder: RunFolder, configuration: RunConfiguration, communicator: Communicator, ranksOnHost: Int,
    reporter: RunReporter, last: String?, activity: SaveActivity, journal: RunJournal?
  ) throws {
    world = communicator
    ranks = try communicator.split(group: 0)!
    self.folder = folder
    keptCount = configuration.training.keepCheckpoints
    self.reporter = reporter
    mayRunBeside = configuration.training.saveBeside && MPISession.allowsConcurrentCalls
    self.ranksOnHost = ranksOnHost
    self.last = last
    self.activity = activity
    self.journal = journal
  }

  /// Waits until no save is running. Each rank must call it before it exits, whatever has happened.
  func close() {
    _ = running?.result.wait { $0 }
    running = nil
  }

  /// Saves the state after a step, and returns when training may continue. Collective.
  ///
  /// - Parameter mustBeWhole: whether training ends afterwards, so that no later save could replace it.
  /// - Throws: `NonFiniteError` if the state of this save or the previous one is not finite; `JobFailure` if
  ///   `mustBeWhole` and it could not be saved.
  func save(_ header: CheckpointHeader, of trainer: DataParallelTrainer, mustBeWhole: Bool) throws {
    let start = ContinuousClock.now
    try finish()
    let saving = Saving(
      header: header, path: folder.checkpointPath(step: header.step), folder: folder, keptCount: keptCount,
      communicator: ranks.communicator, activity: activity)
    let isBeside = try !mustBeWhole && hasRoom(for: trainer.stateCopyBytes)
    let groups = isBeside ? trainer.state.copied() : trainer.state.groups
    let pause = isBeside ? start.secondsUntilNow : nil
    let running = Running(step: header.step, mustBeWhole: mustBeWhole)
    self.running = running
    let work: @Sendable () -> Void = { [reporter, journal, result = running.result] in
      let outcome = saving.run(groups)
      let seconds = start.secondsUntilNow
      Self.report(outcome, step: header.step, seconds: seconds, pause: pause, reporter, journal)
      result.update { $0 = (outcome, seconds) }
    }
    if isBeside {
      _ = BackgroundThread("checkpoint", work)
    } else {
      work()
      try finish()
    }
  }

  /// Waits for the save in progress, if any. Collective.
  /// - Throws: as `save`.
  func finish() throws {
    guard let running else { return }
    let (outcome, seconds) = world.waits.during { running.result.wait { $0 } }
    self.running = nil
    longestSeconds = max(longestSeconds, seconds)
    switch outcome {
    case .saved(let path): last = path
    case .skipped(let problem):
      guard running.mustBeWhole else { break }
      let newest = last.map { "the newest complete one is \($0)" } ?? "there is none yet"
      throw JobFailure(
        rank: 0, exitStatus: .failure,
        message: "the checkpoint of step \(running.step) could not be saved: \(problem); \(newest)")
    case .notFinite(let group):
      throw NonFiniteError(step: running.step, problem: "values of \(group) are not finite", lastCheckpoint: last)
    }
  }

  /// Whether all ranks have memory for a copy of their state, and MPI allows a background thread to save it.
  /// Collective.
  private func hasRoom(for bytes: Int) throws -> Bool {
    guard mayRunBeside else { return false }
    // Half of the available memory may be used: training itself may still need the rest.
    let fits = AvailableMemory.bytes.map { bytes * ranksOnHost < $0 / 2 } ?? true
    let allFit = try world.allReduceMinimum(fits ? 1 : 0) == 1
    if !allFit && !hasTold {
      hasTold = true
      reporter.log.info(
        """
        There is no memory for a copy of the state (\(ProgressFormat.bytes(bytes)) on each rank), so training waits \
        for each save.
        """)
    }
    return allFit
  }

  private static func report(
    _ outcome: Outcome, step: Int, seconds: Double, pause: Double?, _ reporter: RunReporter, _ journal: RunJournal?
  ) {
    let took = ProgressFormat.decimal(seconds, places: 2)
    switch outcome {
    case .saved(let path):
      let paused = pause.map { ", while training paused for \(ProgressFormat.decimal($0, places: 2)) s" } ?? ""
      reporter.message("Saved \(path) in \(took) s\(paused).")
      journal?.note(JournalEntry(.checkpoint, step: step, seconds: seconds))
    case .skipped(let problem):
      reporter.log.warning("the checkpoint of step \(step) is skipped: \(problem); training continues")
    case .notFinite: break
    }
  }

  /// Everything that a thread needs for a save.
  private struct Saving: Sendable {
    let header: CheckpointHeader
    let path: String
    let folder: RunFolder
    let keptCount: Int?
    let communicator: Communicator
    let activity: SaveActivity

    /// Collective. Ends the job if an error occurs on this rank alone.
    func run(_ groups: [TensorGroup]) -> Outcome {
      activity.begin()
      defer { activity.end() }
      do {
        return try write(groups)
      } catch {
        // In the middle of a collective call, an orderly exit is no longer possible.
        JobAbort.abort(rank: communicator.rank, error)
      }
    }

    private func write(_ groups: [TensorGroup]) throws -> Outcome {
      do {
        try communicator.together {
          if let group = groups.first(where: { !$0.isFinite }) { throw RunError(.notFinite, group.path) }
        }
      } catch let failure as JobFailure {
        return .notFinite(group: failure.message)
      }
      do {
        try Checkpoint.save(
          to: path, header: header, groups: groups, communicator: communicator, progress: activity.moveOn)
      } catch let error as CheckpointError {
        return .skipped(problem: "\(error)")
      }
      // An old checkpoint too many does no harm.
      if communicator.rank == 0, let keptCount { try? folder.pruneCheckpoints(keeping: keptCount) }
      return .saved(path: path)
    }
  }
}

/// The progress of a rank's save, for the watchdog.
final class SaveActivity: Sendable {
  /// The start of the save in progress, and the number of parts that this rank has started.
  private let save = Mutex<(start: ContinuousClock.Instant, parts: Int)?>(nil)

  func begin() { save.withLock { $0 = (start: ContinuousClock.now, parts: 0) } }
  func moveOn() { save.withLock { $0?.parts += 1 } }
  func end() { save.withLock { $0 = nil } }

  /// The save in progress; nil if there is none.
  var current: WatchdogJudgement.RankReport.Save? {
    save.withLock { $0 }.map { .init(seconds: $0.start.secondsUntilNow, parts: $0.parts) }
  }
}
