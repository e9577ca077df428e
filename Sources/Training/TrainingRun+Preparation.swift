import Checkpoints
import Configuration
import DataParallel
import Datasets
import Failures
import Files
import FoundationEssentials
import Glibc
import MessagePassing
import Network
import Ranks
import Reporting

// What is checked and prepared before the first step.
extension TrainingRun {
  // MARK: What all ranks must have in common

  /// Throws if ranks have different programs, configurations or data, or are to do different things. Collective.
  static func verifyRanksAgree(
    _ request: Request, _ folder: RunFolder, _ configuration: RunConfiguration, _ dataset: any Dataset,
    _ communicator: Communicator
  ) throws {
    try communicator.requireAlike("program version", ProgramVersion.current)
    try verifySameConfiguration(configuration, communicator)
    try communicator.requireAlike(
      "data set", "\(dataset.name), \(dataset.count) images, fingerprint \(fingerprint(of: dataset))")
    try communicator.requireAlike("--output", folder.path)
    try communicator.requireAlike("--resume", request.resumes ? "given" : "not given")
    try communicator.requireAlike(
      "--initial", request.initial.map { "\($0.path), \($0.weights.rawValue)" } ?? "not given")
    try communicator.requireAlike("--allow-other-data", request.allowsOtherData ? "given" : "not given")
    try communicator.requireAlike("--trace", request.trace.map { "\($0.path), \($0.steps) steps" } ?? "not given")
  }

  static func fingerprint(of dataset: any Dataset) -> String { String(dataset.fingerprint, radix: 16) }

  /// Names the keys that differ; `requireAlike` would show only the two whole texts.
  private static func verifySameConfiguration(_ mine: RunConfiguration, _ communicator: Communicator) throws {
    guard let other = try communicator.firstDifference(of: mine.yaml) else { return }
    let theirs = try RunConfiguration(yaml: other.value, file: "rank \(other.rank)")
    let differences = try theirs.difference(from: RunConfiguration(yaml: other.ofRankZero, file: "rank 0")).map {
      "\($0.key.name) is \($0.mine) there but \($0.theirs) on rank 0"
    }
    throw JobFailure(
      rank: other.rank, exitStatus: .badInput,
      message: "its configuration differs from that of rank 0: " + differences.joined(separator: ", "))
  }

  // MARK: Memory

  /// Checks that the ranks' machines have enough memory for the training, before it is allocated. Collective.
  /// - Throws: `JobFailure` on all ranks, naming the keys and the sizes.
  static func requireMemory(
    for task: any RunTask, _ configuration: RunConfiguration, _ communicator: Communicator
  ) throws {
    let limits = try MemoryLimits(of: communicator)
    let network = task.networkConfiguration
    try communicator.together {
      let ranks = communicator.size
      try configuration.trainingMemory(
        task.model.layout, network, rankCount: ranks, ranksPerNode: limits.ranksPerNode
      ).require(limits)
      if task.drawingNetwork != nil {
        try configuration.drawnImagesMemory(network, rankCount: ranks).require(limits)
      }
    }
  }

  // MARK: Hosts

  /// Connects the hosts, so that the watchdog notices a lost one; nil for a single host, or if that is the launcher's
  /// job. Collective.
  static func links(
    between hosts: [String], _ communicator: Communicator, _ reporter: RunReporter
  ) throws -> HostLinks? {
    let environment = ProcessInfo.processInfo.environment
    let own = try communicator.onRankZero { try Launcher.linkTimeout(environment: environment) ?? 0 }
    let seconds = try communicator.broadcast(encoding: own, from: 0)
    guard seconds > 0, Set(hosts).count > 1, MPISession.allowsConcurrentCalls else { return nil }
    let links = try HostLinks(hosts: hosts, over: communicator, seconds: seconds)
    if !links.unconnectedHosts.isEmpty {
      reporter.log.warning(
        """
        \(links.unconnectedHosts.joined(separator: ", ")) cannot connect to \(hosts[0]) by TCP, so a lost host or a cut \
        link would be noticed only after training.hang_timeout_seconds
        """)
    }
    return links
  }

  // MARK: The run's folder

  /// Prepares the run's folder on rank 0 and locks it against other jobs, and checks that the other ranks see it.
  /// Collective.
  static func prepare(
    _ claim: RunFolderClaim, _ request: Request, _ configuration: RunConfiguration, _ communicator: Communicator,
    _ reporter: RunReporter
  ) throws {
    let folder = claim.folder
    let traceFolder = request.trace.map { folderPath(of: $0.path) }
    try communicator.together {
      if let trace = request.trace {
        do throws(SharedFileError) {
          try SharedFile.checkShareable(trace.path)
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
      try claim.take(mustBeFresh: !request.resumes, note: reporter.message)
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
