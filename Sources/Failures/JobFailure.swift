/// A failure on one rank that all ranks know of: each of them throws this, and only rank 0 reports it.
public struct JobFailure: JobEndingError, Codable, Equatable, CustomStringConvertible {
  /// The lowest rank that failed.
  public let rank: Int
  public let exitStatus: ExitStatus
  /// That rank's error message.
  public let message: String
  public var isKnownToAllRanks: Bool { true }

  public init(rank: Int, exitStatus: ExitStatus, message: String) {
    self.rank = rank
    self.exitStatus = exitStatus
    self.message = message
  }

  public var description: String { "rank \(rank): \(message)" }
}
