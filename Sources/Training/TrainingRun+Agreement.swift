import Configuration
import Datasets
import Failures
import MessagePassing
import Reporting

// What all ranks must have in common before they work together.
extension TrainingRun {
  /// Throws if ranks have different programs, configurations or data, or are to do different things. Collective.
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
      "--initial", request.initial.map { "\($0.path), \($0.weights.rawValue)" } ?? "not given")
    try communicator.requireAlike("--allow-other-data", request.allowsOtherData ? "given" : "not given")
    try communicator.requireAlike("--trace", request.trace.map { "\($0.path), \($0.steps) steps" } ?? "not given")
  }

  static func fingerprint(of dataset: any ImageDataset) -> String { String(dataset.fingerprint, radix: 16) }

  /// Names the keys that differ; `requireAlike` would show only the two whole texts.
  private static func verifySameConfiguration(_ mine: RunConfiguration, _ communicator: Communicator) throws {
    let all = try communicator.allGather(encoding: mine.yaml)
    guard let other = all.firstIndex(where: { $0 != all[0] }) else { return }
    let theirs = try RunConfiguration(yaml: all[other], file: "rank \(other)")
    let differences = try theirs.difference(from: RunConfiguration(yaml: all[0], file: "rank 0")).map {
      "\($0.key.name) is \($0.mine) there but \($0.theirs) on rank 0"
    }
    throw JobFailure(
      rank: other, exitStatus: .badInput,
      message: "its configuration differs from that of rank 0: " + differences.joined(separator: ", "))
  }
}
