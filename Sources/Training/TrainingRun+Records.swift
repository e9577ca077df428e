import Checkpoints
import Configuration
import Datasets
import Files
import MessagePassing
import Reporting

// What a run tells of itself: on the console, in its records and in its checkpoints.
extension TrainingRun {
  /// The journal on rank 0, nil elsewhere. Collective.
  static func openJournal(
    _ folder: RunFolder, _ communicator: Communicator, _ reporter: RunReporter
  ) throws -> RunJournal? {
    try communicator.together {
      communicator.rank == 0 ? try RunJournal(path: folder.journalPath, log: reporter.log) : nil
    }
  }

  /// What TensorBoard reads, on rank 0, if it is asked for. Collective.
  static func openTensorBoard(
    _ folder: RunFolder, _ configuration: RunConfiguration, after step: Int, _ communicator: Communicator,
    _ reporter: RunReporter
  ) throws -> TensorBoardLog? {
    try communicator.together {
      guard communicator.rank == 0, configuration.training.tensorBoard else { return nil }
      return try TensorBoardLog(
        folder: folder.tensorBoardPath, after: step, configuration: configuration.yaml, log: reporter.log)
    }
  }

  func noteStart() {
    let job = JournalEntry.Job(
      version: ProgramVersion.current, ranks: communicator.size, threadsPerRank: workers.threadCount, hosts: hostCount,
      steps: configuration.training.steps, parameters: trainer.task.model.layout.parameterCount, data: dataset.name,
      images: dataset.count, dataFingerprint: Self.fingerprint(of: dataset))
    journal?.note(
      JournalEntry(
        request.resumes ? .resume : .start, step: firstStep, job: job, changes: changes.isEmpty ? nil : changes,
        initial: initialPath))
  }

  /// - Parameter error: what training ends with before its last step.
  func noteEnd(_ error: any Error) {
    if let stop = error as? StoppedEarly {
      journal?.note(JournalEntry(.stop, step: stop.step, reason: stop.reason))
    } else {
      journal?.note(JournalEntry(.failure, step: lastStep, reason: "\(error)"))
    }
  }

  func announce() {
    let ranks = ProgressFormat.count(communicator.size, of: "rank")
    let threads = ProgressFormat.count(workers.threadCount, of: "thread")
    let settings = configuration.training
    if configuration.training.overlap && communicator.size > 1 && !MPISession.allowsConcurrentCalls {
      reporter.log.warning("this MPI library allows no calls from two threads, so nothing moves while ranks compute")
    }
    // What is slower than it could be should not be so unseen.
    let convolutions = configuration.model.convolution == .direct ? ", direct convolutions" : ""
    let shape = dataset.imageShape.map(String.init).joined(separator: "x")
    let data = (["\(dataset.name), \(dataset.count) images of \(shape)"] + dataset.remarks)
      .joined(separator: "\n          ")
    reporter.message(
      """
      ddpm-mpi \(ProgramVersion.current): \(ranks) x \(threads), run folder \(folder.path)
      data:     \(data)
      network:  \(ProgressFormat.count(trainer.task.model.layout.parameterCount)) parameters\(convolutions)
      batch:    \(settings.batch) images in \(configuration.microBatchCount) micro-batches of \(settings.microBatch)
      memory:   \(memoryText)
      training: \(firstStep < settings.steps ? "steps \(firstStep + 1) to \(settings.steps)" : "all \(settings.steps) steps are done; more: a higher training.steps")
      """)
  }

  /// What this rank holds of the training state, in words.
  private var memoryText: String {
    let parameters = ProgressFormat.bytes(trainer.task.model.layout.arenaCount * MemoryLayout<Float>.stride)
    let state = ProgressFormat.bytes(trainer.shardedStateBytes)
    return communicator.size == 1
      ? "parameters \(parameters), optimiser and averages \(state)"
      : "parameters \(parameters) on each rank, optimiser and averages \(state), 1/\(communicator.size) of the whole"
  }

  /// The metrics file on rank 0, nil elsewhere. Collective.
  func openMetrics() throws -> MetricsWriter? {
    var writer: MetricsWriter?
    try communicator.together {
      if communicator.rank == 0 { writer = try MetricsWriter(path: folder.metricsPath, resumingFrom: firstStep) }
    }
    return writer
  }

  /// Writes what the run tells of itself. That it cannot be written, on a full disk for instance, is no reason to give up
  /// what was computed.
  func writeOrWarn(_ body: () throws(FileError) -> Void) {
    do throws(FileError) {
      try body()
    } catch {
      reporter.log.warning("\(error); training goes on, and will try again")
    }
  }

  /// The trace file if one is asked for. Collective.
  func openTrace() throws -> TraceRecorder? {
    guard let trace = request.trace else { return nil }
    let recorder = try TraceRecorder(
      path: trace.path, stepCount: trace.steps, imageShape: dataset.imageShape,
      parameterCount: trainer.task.model.layout.parameterCount, configuration: configuration,
      communicator: communicator)
    try recorder.recordInitial(trainer)
    return recorder
  }

  /// What a checkpoint after a step says of itself.
  func header(step: Int) -> CheckpointHeader {
    CheckpointHeader(
      kind: task.kind, classCount: task.classCount, step: step, images: step * configuration.training.batch,
      imageShape: dataset.imageShape, configuration: configuration.yaml,
      dataFingerprint: Self.fingerprint(of: dataset))
  }
}
