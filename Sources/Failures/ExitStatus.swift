/// The exit status of a job. Documented in docs/clusters.md; scripts rely on the numbers.
package enum ExitStatus: Int32, Codable, Sendable {
  case done = 0
  /// A failure outside the user's input: MPI, the file system, a bug.
  case failure = 1
  /// Invalid arguments, configuration or data.
  case badInput = 2
  /// The loss or a gradient was not a finite number.
  case notFinite = 3
  /// A checkpoint to be loaded is damaged or missing.
  case badCheckpoint = 4
  /// Training was asked to stop before its end, and everything is saved: continue it with `--resume`.
  case stopped = 5
  /// A rank did not respond or made no progress, or a host was lost, and the job was ended: continue it with
  /// `--resume`.
  case hung = 6

  /// The status of an error: its own, or `failure` if it has none.
  package init(for error: any Error) {
    self = (error as? any JobEndingError)?.exitStatus ?? .failure
  }
}
