import Files
import FoundationEssentials
import Glibc
import Ranks
import TextFormatting

/// The files of one run: its configuration, metrics, journal, checkpoints, samples, TensorBoard files and report.
///
///     runs/quickstart/config.yaml
///     runs/quickstart/metrics.jsonl
///     runs/quickstart/journal.jsonl
///     runs/quickstart/evaluations.jsonl
///     runs/quickstart/checkpoints/step-00000500.h5
///     runs/quickstart/checkpoints/best.h5
///     runs/quickstart/samples/step-00000500.png
///     runs/quickstart/tensorboard/events.out.tfevents.1767225600.node1.4242
///     runs/quickstart/report.html
///
/// Only rank 0 creates and removes files through it.
package struct RunFolder: Sendable, Equatable {
  package let path: String

  package init(_ path: String) {
    self.path = withoutTrailingSlashes(path)
  }

  /// A finished checkpoint or a sheet of samples.
  package struct StepFile: Sendable, Equatable {
    package let step: Int
    package let path: String
  }

  package var configurationPath: String { path + "/config.yaml" }
  package var metricsPath: String { path + "/metrics.jsonl" }
  package var journalPath: String { path + "/journal.jsonl" }
  package var tensorBoardPath: String { path + "/tensorboard" }
  package var reportPath: String { path + "/report.html" }
  /// Evaluations of drawn images, with everything that they depend on.
  package var evaluationsPath: String { path + "/evaluations.jsonl" }
  package var checkpointsPath: String { path + "/checkpoints" }
  /// The checkpoint with the best evaluation.
  package var bestCheckpointPath: String { checkpointsPath + "/best.h5" }
  package var samplesPath: String { path + "/samples" }
  private var lockPath: String { path + "/.lock" }

  /// The files and folders of the run, which nothing else may replace. The report is generated from them.
  package var parts: [String] {
    [
      configurationPath, metricsPath, journalPath, evaluationsPath, lockPath, FileLock.heartbeatPath(for: lockPath),
      checkpointsPath, samplesPath, tensorBoardPath,
    ]
  }

  /// The files that must not be replaced while a checkpoint is read from a path to a checkpoint, run or folder of
  /// checkpoints: the checkpoint, and the run that it belongs to.
  /// - Parameter option: the option that names it.
  package static func files(at location: String, option: String) -> [NamedFile] {
    let location = withoutTrailingSlashes(location)
    let isFolder = Files.isFolder(location)
    let folder = isFolder ? location : folderPath(of: location)
    let isOfCheckpoints = lastPart(ofPath: folder) == "checkpoints"
    let run = isOfCheckpoints ? folderPath(of: folder) : isFolder ? folder : nil
    let parts = run.map { RunFolder($0).parts } ?? []
    return (isFolder ? parts : [location] + parts).map { NamedFile(option, $0) }
  }

  package func checkpointPath(step: Int) -> String {
    "\(checkpointsPath)/\(Self.stepName(step)).h5"
  }

  package func samplePath(step: Int) -> String {
    "\(samplesPath)/\(Self.stepName(step)).png"
  }

  /// Whether the folder contains a run.
  package var holdsRun: Bool {
    if fileExists(configurationPath) { return true }
    return ((try? checkpoints()) ?? []).isEmpty == false
  }

  /// Creates the folder and its subfolders if missing.
  ///
  /// - Parameter mustBeFresh: whether it is an error if the folder already contains a run.
  /// - Returns: the folders that were created, for `removeEmptyFolders`.
  /// - Throws: in that case, or if a folder cannot be created.
  @discardableResult
  package func createFolders(mustBeFresh: Bool) throws(FileError) -> [String] {
    if mustBeFresh && holdsRun {
      throw FileError(
        "\(path) already contains a run; continue it with --resume, or choose another folder with --output")
    }
    var made: [String] = []
    do {
      made += try makeFolder(at: path)
      try requireOwnFiles()
      for folder in [checkpointsPath, samplesPath] { made += try makeFolder(at: folder) }
    } catch {
      removeEmptyFolders(made)
      throw error
    }
    return made
  }

  /// Throws if the folder has links that point outside of it.
  package func requireOwnFiles() throws(FileError) {
    guard !path.isEmpty else { throw FileError("a run's folder needs a name", kind: .missing) }
    try requireInnerLinks(in: path, subfolders: ["checkpoints", "samples", "tensorboard"])
  }

  /// Locks this folder against other jobs while the lock is held.
  /// - Parameter note: receives messages for the user, where the file system has no locks.
  /// - Throws: if another job holds the lock, naming the job, or if the folder cannot be locked.
  package func lock(note: (String) -> Void) throws(FileError) -> FileLock {
    let environment = ProcessInfo.processInfo.environment
    let job = environment["SLURM_JOB_ID"].map { "SLURM job \($0), " } ?? ""
    do throws(FileError) {
      return try FileLock(
        lockPath, owner: "\(job)process \(getpid()) on \(ProcessInfo.processInfo.hostName)", note: note,
        lost: { JobAbort.abort("\($0); two jobs must not train in one folder, so this one ends", status: .badInput) })
    } catch {
      let advice = error.kind == .locked ? "; wait for that job, or choose another folder with --output" : ""
      throw FileError("\(path) cannot be trained in: \(error)\(advice)")
    }
  }

  /// Writes `config.yaml`.
  package func save(_ configuration: RunConfiguration) throws(FileError) {
    try replaceFile(at: configurationPath, with: configuration.yaml.utf8)
  }

  /// Reads `config.yaml`.
  ///
  /// - Throws: `FileError` if it cannot be read, `ConfigurationError` if it is not a valid configuration.
  package func savedConfiguration() throws -> RunConfiguration {
    try requireOwnFiles()
    return try RunConfiguration(
      ofRun: readText(at: configurationPath, limit: ConfigurationDocument.maximumBytes), file: configurationPath)
  }

  /// The finished checkpoints, newest first; empty if their folder does not exist.
  package func checkpoints() throws(FileError) -> [StepFile] {
    try requireOwnFiles()
    return try Self.stepFiles(in: checkpointsPath, ending: ".h5").reversed()
  }

  /// The sheets of samples, oldest first; empty if their folder does not exist.
  package func samples() throws(FileError) -> [StepFile] {
    try Self.stepFiles(in: samplesPath, ending: ".png")
  }

  /// Keeps the checkpoint of a step as the best one, even when the original is removed.
  package func keepAsBest(step: Int) throws(FileError) {
    let temporary = checkpointsPath + "/.best.h5.partial"
    try Self.removeFile(at: temporary)
    if link(checkpointPath(step: step), temporary) != 0 {
      // Some file systems do not support hard links.
      do { try FileManager.default.copyItem(atPath: checkpointPath(step: step), toPath: temporary) } catch {
        let code = ((error as? CocoaError)?.underlying as? POSIXError)?.code.rawValue
        throw FileError(
          cannot: "copy \(checkpointPath(step: step)) to", temporary,
          reason: code.map { String(cString: strerror($0)) } ?? "\(error)", kind: .other)
      }
    }
    try publishFile(temporary, as: bestCheckpointPath)
  }

  /// Removes all but the newest `count` checkpoints.
  package func pruneCheckpoints(keeping count: Int) throws(FileError) {
    precondition(count >= 1, "the newest checkpoint is never removed")
    for checkpoint in try checkpoints().dropFirst(count) { try Self.removeFile(at: checkpoint.path) }
  }

  /// Removes temporary files of checkpoints left behind by a crash. Call it while nothing is being saved.
  package func removeUnfinishedCheckpoints() throws(FileError) {
    for name in try Self.fileNames(in: checkpointsPath) where name.hasPrefix(".step-") && name.hasSuffix(".h5.partial")
    {
      try Self.removeFile(at: "\(checkpointsPath)/\(name)")
    }
  }

  /// The files that are named for a step, by step.
  private static func stepFiles(in folder: String, ending: String) throws(FileError) -> [StepFile] {
    try fileNames(in: folder).compactMap { name in
      step(of: name, ending: ending).map { StepFile(step: $0, path: "\(folder)/\(name)") }
    }.sorted { $0.step < $1.step }
  }

  private static func fileNames(in folder: String) throws(FileError) -> [String] {
    do {
      return try namesInFolder(folder)
    } catch {
      if error.kind == .missing { return [] }
      throw error
    }
  }

  private static func removeFile(at path: String) throws(FileError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw FileError(cannot: "remove", path) }
  }

  /// Eight digits, so that names sort by step.
  package static func stepName(_ step: Int) -> String {
    precondition(step >= 0, "steps are counted from 0")
    return String(printf: "step-%08ld", step)
  }

  private static func step(of name: String, ending: String) -> Int? {
    guard name.hasPrefix("step-"), name.hasSuffix(ending) else { return nil }
    let digits = name.dropFirst("step-".count).dropLast(ending.count)
    guard digits.count >= 8, digits.allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
    return Int(digits)
  }
}
