/// A failure on one rank that all ranks know of: each of them throws this, and only rank 0 reports it.
package struct JobFailure: JobEndingError, Codable, Equatable, CustomStringConvertible {
  /// The lowest rank that failed.
  package let rank: Int
  package let exitStatus: ExitStatus
  /// That rank's error message.
  package let message: String
  package var isKnownToAllRanks: Bool { true }

  package init(rank: Int, exitStatus: ExitStatus, message: String) {
    self.rank = rank
    self.exitStatus = exitStatus
    self.message = message
  }

  package var description: String { "rank \(rank): \(message)" }
}
