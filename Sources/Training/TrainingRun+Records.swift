import Checkpoints
import Configuration
import Datasets
import MessagePassing
import Reporting

// What a run reports on the console and in its records, and the header of its checkpoints.
extension TrainingRun {
  func noteStart() {
    let job = JournalEntry.Job(
      version: ProgramVersion.current, ranks: communicator.size, threadsPerRank: workers.threadCount, hosts: hostCount,
      steps: configuration.training.steps, parameters: trainer.task.model.layout.parameterCount, data: dataset.name,
      images: dataset.count, dataFingerprint: Self.fingerprint(of: dataset),
      holdsFields: dataset.fields == nil ? nil : true)
    journal?.note(
      JournalEntry(
        request.resumes ? .resume : .start, step: firstStep, job: job, changes: changes.isEmpty ? nil : changes,
        initial: initialPath))
  }

  /// - Parameter error: the error that ended training before its last step.
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
      reporter.log.warning(
        "this MPI library allows no calls from two threads, so communication does not overlap with computation")
    }
    // Shown because they are slower than they could be, or rounded.
    let convolutions =
      switch configuration.model.convolution {
      case .winograd: ""
      case .direct: ", direct convolutions"
      case .rounded: ", convolutions in bfloat16"
      }
    let precision = configuration.model.precision == .bfloat16 ? ", values in bfloat16" : ""
    let data = (["\(dataset.name), \(samplesText)"] + dataset.remarks).joined(separator: "\n          ")
    reporter.message(
      """
      ddpm-mpi \(ProgramVersion.current): \(ranks) x \(threads), run folder \(folder.path)
      data:     \(data)
      network:  \(ProgressFormat.count(trainer.task.model.layout.parameterCount)) parameters\(convolutions)\(precision)
      batch:    \(settings.batch) \(nounOfSamples)s in \(configuration.microBatchCount) micro-batches of \(settings.microBatch)
      memory:   \(memoryText)
      training: \(firstStep < settings.steps ? "steps \(firstStep + 1) to \(settings.steps)" : "all \(settings.steps) steps are done; for more, raise training.steps")
      """)
  }

  /// The word for a training sample.
  var nounOfSamples: String { dataset.fields == nil ? "image" : "field" }

  /// The training samples, for users.
  private var samplesText: String {
    let names = dataset.fields.map { " (\($0.variables.map(\.name).joined(separator: ", ")))" } ?? ""
    let conditions = configuration.data.conditions
    let given = conditions.isEmpty ? "" : ", given \(conditions.joined(separator: ", "))"
    return
      "\(ProgressFormat.count(dataset.count)) \(nounOfSamples)s of \(ProgressFormat.dimensions(dataset.drawnShape))\(names)\(given)"
  }

  /// The training state of this rank, for users.
  private var memoryText: String {
    let parameters = ProgressFormat.bytes(trainer.task.model.layout.arenaCount * MemoryLayout<Float>.stride)
    let state = ProgressFormat.bytes(trainer.shardedStateBytes)
    guard communicator.size > 1 else { return "parameters \(parameters), optimiser and averages \(state)" }
    let holder = trainer.sharesParameters ? "machine" : "rank"
    return
      "parameters \(parameters) on each \(holder), optimiser and averages \(state) on each rank, 1/\(communicator.size) of the total"
  }

  /// The header of a checkpoint after a step.
  func header(step: Int) -> CheckpointHeader {
    CheckpointHeader(
      kind: request.kind, classCount: task.classCount, step: step, images: step * configuration.training.batch,
      imageShape: dataset.drawnShape, configuration: configuration.yaml,
      dataFingerprint: Self.fingerprint(of: dataset), fields: dataset.fields?.json)
  }
}
