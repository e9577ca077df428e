import Checkpoints
import Configuration
import DataParallel
import Datasets
import Failures
import Files
import Foundation
import HDF5
import Images
import Inference
import MessagePassing
import Network
import Ranks
import Reporting
import Tensors

// What happens around the steps: agreeing, resuming, announcing, saving, sampling.
extension TrainingRun {
  /// Refuses to start when ranks do not hold the same program, configuration and data, or are to do different things.
  /// Collective.
  static func verifyRanksAgree(
    _ request: Request, _ folder: RunFolder, _ configuration: RunConfiguration, _ dataset: any ImageDataset,
    _ communicator: Communicator
  ) throws {
    try communicator.requireAlike("program version", ProgramVersion.current)
    try verifySameConfiguration(configuration, communicator)
    try communicator.requireAlike(
      "data set", "\(dataset.name), \(dataset.count) images, fingerprint \(fingerprint(of: dataset))")
    try communicator.requireAlike("--output", folder.path)
    try communicator.requireAlike("--resume", request.resumes ? "given" : "not given")
    try communicator.requireAlike(
      "--initial", request.initial.map { "\($0.place), \($0.weights.rawValue)" } ?? "not given")
    try communicator.requireAlike("--allow-other-data", request.allowsOtherData ? "given" : "not given")
    try communicator.requireAlike("--trace", request.trace.map { "\($0.path), \($0.steps) steps" } ?? "not given")
  }

  static func fingerprint(of dataset: any ImageDataset) -> String { String(dataset.fingerprint, radix: 16) }

  /// Names the keys that differ, which `requireAlike` would leave to the reader.
  private static func verifySameConfiguration(_ mine: RunConfiguration, _ communicator: Communicator) throws {
    let all = try communicator.allGatherStrings(mine.yaml)
    guard let other = all.firstIndex(where: { $0 != all[0] }) else { return }
    let theirs = try RunConfiguration(yaml: all[other], file: "rank \(other)")
    let differences = try theirs.difference(from: RunConfiguration(yaml: all[0], file: "rank 0")).map {
      "\($0.key.name) is \($0.mine) there and \($0.theirs) on rank 0"
    }
    throw JobFailure(
      rank: other, exitStatus: .badInput,
      message: "its configuration is not that of rank 0: " + differences.joined(separator: ", "))
  }

  /// Makes the run's folder ready on rank 0 and keeps other jobs from it, and verifies that the other ranks find it.
  /// Collective.
  static func prepare(
    _ place: RunPlace, _ request: Request, _ configuration: RunConfiguration, _ communicator: Communicator
  ) throws {
    let folder = place.folder
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
      try place.take(mustBeFresh: !request.resumes)
    }
    try communicator.requireShared(folder: folder.path)
    if let traceFolder { try communicator.requireShared(folder: traceFolder) }
    try communicator.together {
      if communicator.rank == 0 && request.resumes { try folder.removeUnfinishedCheckpoints() }
    }
  }

  /// Finds out whether a trace can be written and replaces nothing that the run reads or writes.
  private static func check(
    trace: String, isInRunFolder: Bool, _ folder: RunFolder, _ request: Request, _ configuration: RunConfiguration
  ) throws {
    let output = NamedFile("--trace", trace)
    // The run's own folder may still have to be made.
    let name = lastPart(ofPath: trace)
    guard !isInRunFolder || !folder.parts.contains("\(folder.path)/\(name)") else {
      throw FileError("--trace \(trace) is a file of the run itself; name another")
    }
    let data = DatasetCatalog.place(name: configuration.data.name, path: configuration.data.path)
    try checkApart(
      outputs: isInRunFolder && access(folder.path, F_OK) != 0 ? [] : [output],
      inputs: NamedFile.list(("--config", request.sources.file), ("data.path", data))
        + folder.parts.map { NamedFile("the run's", $0) })
    if !isInRunFolder { _ = try OutputFile(trace) }
  }

  /// Verifies that the checkpoint of the last step could be saved as things are. Collective.
  static func rehearseSaving(
    _ trainer: DataParallelTrainer, _ folder: RunFolder, _ configuration: RunConfiguration, _ communicator: Communicator
  ) throws {
    do {
      try Checkpoint.rehearse(
        path: folder.checkpointPath(step: configuration.training.steps), groups: trainer.tensorGroups,
        communicator: communicator)
    } catch let error as CheckpointError {
      throw JobFailure(rank: 0, exitStatus: .badInput, message: "checkpoints could not be saved: \(error)")
    }
  }

  /// Where a run goes on.
  struct Resumption {
    /// Steps done.
    var step = 0
    /// What is not as it was when the checkpoint was saved, each in words.
    var changes: [String] = []
  }

  /// Loads the newest checkpoint that is whole; step 0 if the folder has none. Collective.
  /// - Throws: `JobFailure` if there are checkpoints but none is whole, or the newest cannot go on like this.
  static func resume(
    _ trainer: DataParallelTrainer, from folder: RunFolder, _ request: Request, _ configuration: RunConfiguration,
    _ dataset: any ImageDataset, _ communicator: Communicator, _ reporter: RunReporter
  ) throws -> Resumption {
    // Rank 0's view of the folder counts: a network file system may show others something else for a while.
    let listing = try communicator.together {
      communicator.rank == 0 ? try folder.checkpoints().map(\.path).joined(separator: "\n") : ""
    }
    let paths = try communicator.broadcast(listing, from: 0).split(separator: "\n").map(String.init)
    for path in paths {
      do {
        var groups: [TensorGroup] = []
        var changes: [String] = []
        let header = try Checkpoint.load(from: path, communicator: communicator) { header in
          // All ranks read the same, so all refuse it.
          changes = try communicator.together {
            try changesSince(header, path, request, configuration, dataset)
          }
          groups = trainer.tensorGroups
          return groups
        }
        try trainer.didLoad(groups)
        reporter.log.info("Resuming from \(path), step \(header.step).")
        for change in changes { reporter.log.info("\(change)") }
        return Resumption(step: header.step, changes: changes)
      } catch let error as CheckpointError {
        reporter.log.warning("\(error); trying the one before")
      }
    }
    guard let newest = paths.first else {
      reporter.log.info("There is no checkpoint in \(folder.checkpointsPath) yet; starting at step 0.")
      return Resumption()
    }
    throw JobFailure(
      rank: 0, exitStatus: .badCheckpoint,
      message: "none of the \(paths.count) checkpoints in \(folder.checkpointsPath) is whole "
        + "(the newest is \(newest)); start anew in another --output, or restore one of them")
  }

  /// What is not as it was when a checkpoint was saved, each in words.
  /// - Throws: `InputError` and `ConfigurationError` if the run cannot go on from it like this.
  private static func changesSince(
    _ header: CheckpointHeader, _ path: String, _ request: Request, _ configuration: RunConfiguration,
    _ dataset: any ImageDataset
  ) throws -> [String] {
    guard header.kind == request.kind else {
      throw InputError(
        "\(path) is a \(header.kind.rawValue), not a \(request.kind.rawValue); choose another --output")
    }
    let saved = try RunConfiguration(ofRun: header.configuration, file: path)
    try configuration.checkResumable(saved: saved, otherData: request.allowsOtherData)
    guard header.step <= configuration.training.steps else {
      throw InputError(
        "training.steps is \(configuration.training.steps), but \(header.step) steps are done in \(path); give at least "
          + "as many")
    }
    guard header.imageShape == dataset.imageShape else {
      let (there, here) = (header.imageShape, dataset.imageShape)
      throw InputError(
        "\(path) is for images of \(sizeText(there)), but those of \(dataset.name) are \(sizeText(here)); "
          + "--initial begins a new run with its weights")
    }
    var changes = configuration.difference(from: saved).map { "\($0.key.name) was \($0.theirs) and is \($0.mine)" }
    let fingerprint = fingerprint(of: dataset)
    if let before = header.dataFingerprint, before != fingerprint {
      guard request.allowsOtherData else {
        throw InputError(
          "\(path) was trained on other images: the fingerprint of \(dataset.name) was \(before) and is \(fingerprint); "
            + "set data.path to the images that it was trained on, or give --allow-other-data to go on with these")
      }
      changes.append("the data set's fingerprint was \(before) and is \(fingerprint)")
    }
    return changes
  }

  private static func sizeText(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "x") }

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
      steps: configuration.training.steps, parameters: trainer.task.trainee.layout.parameterCount, data: dataset.name,
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
      network:  \(ProgressFormat.count(trainer.task.trainee.layout.parameterCount)) parameters\(convolutions)
      batch:    \(settings.batch) images in \(configuration.microBatchCount) micro-batches of \(settings.microBatch)
      memory:   \(memoryText)
      training: \(firstStep < settings.steps ? "steps \(firstStep + 1) to \(settings.steps)" : "all \(settings.steps) steps are done; more: a higher training.steps")
      """)
  }

  /// What this rank holds of the training state, in words.
  private var memoryText: String {
    let parameters = ProgressFormat.bytes(trainer.task.trainee.layout.arenaCount * MemoryLayout<Float>.stride)
    let state = ProgressFormat.bytes(trainer.shardedStateBytes)
    return communicator.size == 1
      ? "parameters \(parameters), optimiser and averages \(state)"
      : "parameters \(parameters) on each rank, optimiser and averages \(state), 1/\(communicator.size) of the whole"
  }

  /// This rank's images of every step, which are read ahead of need.
  func batchReader() -> BatchReader {
    let plan = BatchPlan(
      dataset: dataset, batchSize: configuration.training.batch, seed: configuration.seed,
      flips: configuration.data.flip, labelDropout: model.labelDropout(configuration))
    let run = trainer.localMicroBatches
    let samples =
      trainer.samples(ofMicroBatch: run.lowerBound)
      .lowerBound..<trainer.samples(ofMicroBatch: run.upperBound - 1).upperBound
    return BatchReader(plan, samples: samples, steps: firstStep..<configuration.training.steps)
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
      parameterCount: trainer.task.trainee.layout.parameterCount, configuration: configuration,
      communicator: communicator)
    try recorder.recordInitial(trainer)
    return recorder
  }

  /// What a checkpoint after a step says of itself.
  func header(step: Int) -> CheckpointHeader {
    var classCount: Int?
    if case .classifier(let task, _) = model { classCount = task.network.classCount }
    return CheckpointHeader(
      kind: request.kind, classCount: classCount, step: step, images: step * configuration.training.batch,
      imageShape: dataset.imageShape, configuration: configuration.yaml,
      dataFingerprint: Self.fingerprint(of: dataset))
  }

  /// The network and what it is trained for.
  static func model(
    _ kind: CheckpointHeader.Kind, _ configuration: RunConfiguration, _ dataset: any ImageDataset
  ) throws -> Model {
    let (height, width, channels) = (dataset.height, dataset.width, dataset.channels)
    switch kind {
    case .denoiser:
      let network = try configuration.network(height: height, width: width, channels: channels)
      return .denoiser(try DenoisingTask(configuration: configuration, network: network))
    case .classifier:
      guard dataset.classNames.count > 1 else {
        throw InputError("\(dataset.name) has no classes to tell apart; choose another data.name")
      }
      if let every = configuration.evaluation.every {
        throw InputError("evaluation.every is \(every), but a classifier draws no images to measure; set it to none")
      }
      let network = try configuration.classifier(
        height: height, width: width, channels: channels, classCount: dataset.classNames.count)
      return .classifier(
        try ClassificationTask(configuration: configuration, network: network),
        tests: try configuration.dataset(split: .test))
    }
  }

  /// Tells a grid of samples, or a classifier's accuracy. Collective.
  func showWhatWasLearnt(step: Int) throws {
    try tell("the samples are not drawn", step: step) {
      switch model {
      case .denoiser(let task): try drawGrid(step: step, task.network)
      case .classifier(let task, let tests): try measureAccuracy(task, tests)
      }
    }
  }

  /// Tells what `body` finds out, which training does not need: where it fails on all ranks alike, the log and the journal
  /// have the reason, and training goes on. Collective.
  /// - Parameters:
  ///   - failure: what it means if it fails.
  ///   - body: returns a sentence for the user, on rank 0.
  private func tell(_ failure: String, step: Int, _ body: () throws -> String) throws {
    do {
      let news = try body()
      reporter.message(news)
    } catch let error as any JobEndingError where error.isKnownToAllRanks {
      reporter.log.warning("\(failure) after step \(step): \(error); training goes on")
      journal?.note(JournalEntry(.warning, step: step, reason: "\(failure): \(error)"))
    }
  }

  /// How many test images the first average tells the classes of, at some times of the process. Collective.
  private func measureAccuracy(_ task: ClassificationTask, _ tests: any ImageDataset) throws -> String {
    let count = min(512, tests.count)
    let classifier = TrainedClassifier(
      network: task.network, parameters: try trainer.gatherAverage(trainer.averages[0]), workers: workers)
    let share = communicator.share(of: count)
    let images = try communicator.together { try DataImages(tests).images(Array(share)) }
    let results = try task.timesToTest.map { time in
      let (input, networkTime) = task.noised(images, at: time, firstImage: share.lowerBound)
      let logarithms = classifier.logProbabilities(input, times: share.map { _ in networkTime })
      let right = zip(share, logarithms).filter { image, values in
        values.firstIndex(of: values.max() ?? 0) == tests.label(of: image)
      }.count
      let percent = 100 * Double(try communicator.allReduceSum(Int64(right))) / Double(count)
      return "\(ProgressFormat.decimal(percent, places: 1))% at t = \(ProgressFormat.shortDecimal(time))"
    }
    return "Of \(count) test images it knows " + results.joined(separator: ", ") + "."
  }

  /// Measures images drawn by the first average, and keeps the checkpoint if they are the best; tells what it found.
  /// Collective.
  func measureImages(step: Int, _ metrics: inout MetricsWriter?) throws {
    // A classifier draws none.
    guard let evaluation, case .denoiser(let task) = model else { return }
    // A file that is being written cannot be kept yet.
    try saver.finish()
    try tell("the images are not measured", step: step) {
      try measure(task.network, evaluation, step: step, &metrics)
    }
  }

  private func measure(
    _ network: UNet, _ evaluation: TrainingEvaluation, step: Int, _ metrics: inout MetricsWriter?
  ) throws -> String {
    let drawing = try ImageDrawing(
      network: network, configuration: configuration, seed: configuration.seed, communicator: communicator,
      workers: workers)
    let (result, isBest) = try evaluation.evaluate(
      drawing, parameters: try trainer.gatherAverage(trainer.averages[0]), step: step)
    guard communicator.rank == 0 else { return "" }
    writeOrWarn { () throws(FileError) in try metrics?.append(step: step, result.numbers) }
    tensorBoard?.noteMeasures(result.numbers, step: step)
    var news = result.text
    if isBest {
      do {
        try folder.keepAsBest(step: step)
        news += "\nThe best so far: kept as \(folder.bestCheckpointPath)."
      } catch {
        reporter.log.warning("the best checkpoint so far is not kept: \(error)")
      }
    }
    return news
  }

  /// Draws a grid of samples from the first average, all ranks sharing the work. Collective.
  /// - Returns: a sentence about it.
  private func drawGrid(step: Int, _ network: UNet) throws -> String {
    let count = configuration.sampling.count
    let drawing = try ImageDrawing(
      network: network, configuration: configuration, seed: configuration.seed, communicator: communicator,
      workers: workers)
    let parameters = try trainer.gatherAverage(trainer.averages[0])
    let share = try drawing.drawShare(
      of: count, parameters: parameters,
      progress: { done, steps in
        reporter.show(SamplingProgress(imageCount: count, step: done, stepCount: steps), isMilestone: false)
      })
    let images = try drawing.gather(share.images, count: count)
    let path = folder.samplePath(step: step)
    if communicator.rank == 0 {
      // That it cannot be written is no reason to give up what was computed.
      let grid = sampleGrid(images)
      do { try PNG.write(grid, to: path) } catch {
        return "Drew samples, but they could not be written: \(error)."
      }
      tensorBoard?.noteSamples(grid, path: path, step: step)
    }
    return "Drew \(path)."
  }
}
