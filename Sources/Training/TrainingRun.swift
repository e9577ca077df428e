import Checkpoints
import Configuration
import DataParallel
import Datasets
import Failures
import Inference
import MessagePassing
import Network
import Ranks
import Reporting
import Tensors

/// A training run, from its configuration to its last checkpoint.
package struct TrainingRun {
  /// The request of the command line.
  package struct Request: Sendable {
    package var sources: ConfigurationSources
    /// The run's folder; by default `runs/<preset>`, or `runs/<preset>-classifier` for a classifier.
    package var output: String?
    /// Whether to resume from the newest valid checkpoint of the folder.
    package var resumes = false
    /// Whether to continue although the images differ from those of the checkpoint.
    package var allowsOtherData = false
    /// A checkpoint, or a run's folder, whose weights a new run starts from.
    package var initial: (path: String, weights: ModelRequest.Weights)?
    /// The kind of network to train.
    package var kind = CheckpointHeader.Kind.denoiser
    /// Threads per rank.
    package var threads = 1
    /// A file for a trace of the first steps, and the number of steps.
    package var trace: (path: String, steps: Int)?

    package init(sources: ConfigurationSources) { self.sources = sources }
  }

  let request: Request
  let communicator: Communicator
  let workers: WorkerPool
  let reporter: RunReporter
  let folder: RunFolder
  let configuration: RunConfiguration
  let dataset: any Dataset
  /// The training task.
  let task: any RunTask
  let trainer: DataParallelTrainer
  /// The checkpoint whose weights the run starts from; nil if they are drawn from the seed, or if the run is resumed.
  let initialPath: String?
  /// Steps done before the loop starts.
  let firstStep: Int
  /// What has changed since the checkpoint that the run resumes from.
  let changes: [String]
  /// Steps done.
  private(set) var lastStep: Int
  private var stopWatch: StopWatch
  private let watchdog: Watchdog?
  let saver: CheckpointSaver
  /// Locks the folder against other jobs.
  private let claim: RunFolderClaim
  /// The record of the run's events; on rank 0.
  let journal: RunJournal?
  /// On rank 0, if it is enabled.
  let tensorBoard: TensorBoardLog?
  let hostCount: Int
  /// Evaluates drawn samples, if it is enabled.
  let evaluation: TrainingEvaluation?

  /// Checks everything that can be checked before the first step, and loads the checkpoint to resume from. Collective.
  /// - Throws: `JobFailure` on all ranks if anything is wrong on any.
  package init(_ request: Request, communicator: Communicator) throws {
    self.request = request
    self.communicator = communicator
    let reporter = RunReporter(isSpeaking: communicator.rank == 0)
    self.reporter = reporter
    let folder = RunFolder(request.output ?? "runs/\(request.sources.runName)\(request.kind.runNameSuffix)")
    self.folder = folder
    let (configuration, dataset, task, initial) = try communicator.together {
      let saved = request.resumes && folder.holdsRun ? try folder.savedConfiguration() : nil
      let initial = try request.initial.map {
        try InitialWeights(at: $0.path, weights: $0.weights, kind: request.kind)
      }
      var configuration = try request.sources.resolve(saved: saved ?? initial?.configuration)
      if let saved {
        configuration = configuration.resuming(saved)
        try configuration.checkResumable(saved: saved, otherData: request.allowsOtherData)
      }
      try configuration.validate(rankCount: communicator.size)
      let dataset = try configuration.dataset()
      configuration = try configuration.fitted(to: dataset)
      let task = try request.kind.task(configuration, dataset)
      return (configuration, dataset, task, initial)
    }
    initialPath = initial?.path
    self.configuration = configuration
    self.dataset = dataset
    self.task = task
    try Self.verifyRanksAgree(request, folder, configuration, dataset, communicator)
    try Self.requireMemory(for: task, configuration, communicator)
    try communicator.onRankZero { try initial?.read(for: task.model.layout, of: configuration) }
    stopWatch = StopWatch(limitMinutes: configuration.training.timeLimitMinutes)
    claim = RunFolderClaim(folder)
    try Self.prepare(claim, request, configuration, communicator, reporter)
    let placement = try RankPlacement(of: communicator, threads: request.threads)
    let hosts = placement.locations.map(\.host)
    hostCount = Set(hosts).count
    let activity = SaveActivity()
    watchdog = try Watchdog(
      communicator: communicator, hosts: hosts, links: try Self.links(between: hosts, communicator, reporter),
      limits: .init(
        hangSeconds: configuration.training.hangTimeoutSeconds ?? .infinity,
        saveSeconds: configuration.training.saveTimeoutSeconds ?? .infinity),
      activity: activity)
    if let misfit = placement.misfit { reporter.log.warning("\(misfit)") }
    workers = WorkerPool(threadCount: request.threads, placement: placement, rank: communicator.rank)
    do {
      trainer = try DataParallelTrainer(
        configuration: configuration, task: task, communicator: communicator, workers: workers,
        arrangement: .init(configuration.training, grid: placement.grid))
      if let failure = trainer.memorySharingFailure {
        reporter.log.warning(
          "the ranks of a machine cannot share memory, so each has all parameters for itself: \(failure)")
      }
      if let initial { try initial.give(to: trainer, configuration, communicator, reporter) }
      let resumption =
        request.resumes
        ? try Self.resume(trainer, from: folder, request, configuration, dataset, communicator, reporter)
        : (step: 0, changes: [])
      firstStep = resumption.step
      changes = resumption.changes
      try Self.rehearseSaving(trainer, folder, configuration, communicator)
      evaluation = try TrainingEvaluation(
        configuration, training: dataset, folder: folder, after: firstStep, communicator: communicator,
        workers: workers, reporter: reporter)
      journal = try communicator.onRankZero { try RunJournal(path: folder.journalPath, log: reporter.log) }
      saver = try CheckpointSaver(
        folder: folder, configuration: configuration, communicator: communicator,
        ranksOnHost: hosts.filter { $0 == hosts[communicator.rank] }.count, reporter: reporter,
        last: firstStep > 0 ? folder.checkpointPath(step: firstStep) : nil, activity: activity, journal: journal)
      tensorBoard =
        configuration.training.tensorBoard
        ? try communicator.onRankZero {
          try TensorBoardLog(
            folder: folder.tensorBoardPath, after: resumption.step, configuration: configuration.yaml, log: reporter.log
          )
        } : nil
    } catch {
      watchdog?.stop()
      throw error
    }
    lastStep = firstStep
    watchdog?.note(step: firstStep)
  }

  /// Trains until `training.steps` steps are done. Collective.
  /// - Throws: besides other errors, `StoppedEarly` on all ranks if it was asked to stop and has saved.
  package mutating func run() throws {
    defer {
      saver.close()
      watchdog?.stop()
      // An error's message must not be written into a live line.
      reporter.finish()
    }
    announce()
    noteStart()
    do {
      try begin()
      try train()
    } catch {
      noteEnd(error)
      // If all ranks exit cleanly, no message may be left between them.
      if (error as? any JobEndingError)?.isKnownToAllRanks == true { try? trainer.settle() }
      throw error
    }
    try trainer.settle()
  }

  /// Stores the accepted request: from here on, the folder contains a run.
  private func begin() throws {
    // Otherwise, resuming without a checkpoint would start with weights drawn from the seed.
    if initialPath != nil { try saver.save(header(step: 0), of: trainer, mustBeWhole: true) }
    try communicator.onRankZero { try claim.begin(configuration) }
  }

  private mutating func train() throws {
    let batches = batchReader()
    var metrics: MetricsWriter?
    try communicator.onRankZero { metrics = try MetricsWriter(path: folder.metricsPath, resumingFrom: firstStep) }
    let trace = try request.trace.map { trace in
      try TraceRecorder(
        path: trace.path, stepCount: trace.steps, imageShape: dataset.drawnShape,
        conditionChannels: dataset.conditionChannels, trainer: trainer, configuration: configuration,
        communicator: communicator)
    }
    let settings = configuration.training
    let start = ContinuousClock.now
    var rate = RateMeter()

    var step = firstStep
    while step < settings.steps {
      let stepStart = ContinuousClock.now

      // Wait for the images, whose reading may fail on any rank.
      if batches.readsFiles { try communicator.together { try batches.prepare(step: step) } }

      let isTraced = step - firstStep < (trace?.stepCount ?? 0)
      // One thread at a time may write HDF5 files.
      if isTraced { try saver.finish() }
      let result = try self.step(step, batches, observer: isTraced ? trace : nil)
      step += 1
      lastStep = step

      // Report.
      rate.record(settings.batch, seconds: stepStart.secondsUntilNow)
      stopWatch.note(stepSeconds: stepStart.secondsUntilNow)
      watchdog?.note(step: step)
      let isLast = step == settings.steps
      let isLogged = isDue(step, every: settings.logEvery) || isLast
      let record = MetricsRecord(
        step: step, images: step * settings.batch, loss: result.loss, gradientNorm: result.gradientNorm,
        learningRate: result.learningRate, imagesPerSecond: rate.perSecond, seconds: start.secondsUntilNow)
      if isLogged {
        reporter.log.warnIfUnwritten { try metrics?.append(record) }
        tensorBoard?.note(record)
      }
      let progress = TrainingProgress(
        record, stepCount: settings.steps, imagesPerStep: settings.batch,
        speedUnit: dataset.fields == nil ? "img/s" : "fields/s")
      reporter.show(progress, isMilestone: isLogged)

      // Save.
      let stopReason = isLast ? nil : try stopWatch.reason(communicator, saveSeconds: saver.longestSeconds)
      let isMeasured = isDue(step, every: configuration.evaluation.every)
      if isDue(step, every: settings.checkpointEvery) || isMeasured || isLast || stopReason != nil {
        try saver.save(header(step: step), of: trainer, mustBeWhole: isLast || stopReason != nil)
      }
      if let stopReason {
        try trace?.close()
        throw StoppedEarly(step: step, reason: stopReason, checkpoint: folder.checkpointPath(step: step))
      }

      // Measure, and keep the best.
      if isMeasured {
        try measureSamples(step: step, &metrics)
        reporter.showLive(progress)
      }

      // Show what has been learnt.
      if isDue(step, every: settings.sampleEvery) || (isLast && settings.sampleEvery != nil) {
        try showProgress(step: step)
        reporter.showLive(progress)
      }
    }
    try saver.finish()
    try trace?.close()
    journal?.note(JournalEntry(.done, step: step))
    reporter.finish()
    reporter.message("Done: \(ProgressFormat.count(step, of: "step")). The run is in \(folder.path).")
  }

  /// This rank's images for every step, which are read ahead.
  func batchReader() -> BatchReader {
    let plan = BatchPlan(
      dataset: dataset, batchSize: configuration.training.batch, seed: configuration.seed,
      flips: configuration.data.flip, labelDropout: task.labelDropout,
      conditionDropout: configuration.training.conditionDropout)
    return BatchReader(plan, samples: trainer.localSamples, steps: firstStep..<configuration.training.steps)
  }

  /// One step on images of the data set. Collective.
  private func step(_ step: Int, _ batches: BatchReader, observer: (any StepObserver)?) throws -> StepResult {
    do {
      return try trainer.step(step, observer: observer) { samples in
        let values = Tensor(uninitialised: [samples.count] + dataset.imageShape)
        try batches.fillBatch(step: step, samples: samples, into: values, workers: workers)
        return TrainingSamples(
          values, conditionChannels: dataset.conditionChannels,
          classes: task.usesClasses ? batches.plan.labels(step: step, samples: samples) : nil,
          hidesFields: { batches.plan.hidesFields(step: step, sample: samples.lowerBound + $0) }, workers: workers)
      }
    } catch var error as NonFiniteError {
      // A checkpoint that is still being saved is valid.
      try saver.finish()
      error.lastCheckpoint = saver.last
      throw error
    }
  }

  /// Whether something that happens at intervals is due after a step; never, if the interval is nil.
  private func isDue(_ step: Int, every interval: Int?) -> Bool { interval.map { step.isMultiple(of: $0) } ?? false }
}
