/// How a job ends, as the shell sees it. Documented in docs/clusters.md; scripts rely on the numbers.
public enum ExitStatus: Int32, Codable, Sendable {
  case done = 0
  /// Something outside the user's input went wrong: MPI, the file system, a bug.
  case failure = 1
  /// Arguments, configuration or data.
  case badInput = 2
  /// The loss or a gradient was not a finite number.
  case notFinite = 3
  /// A checkpoint that should be loaded is damaged or missing.
  case badCheckpoint = 4
  /// Training was asked to stop before its end, and everything is saved: run it again with `--resume`.
  case stopped = 5
  /// A rank did not answer or did not move on, and the job was ended for it: go on with `--resume`.
  case hung = 6

  /// That of an error: what it says itself, or else that something failed.
  public init(for error: any Error) {
    self = (error as? any JobEndingError)?.exitStatus ?? .failure
  }
}
