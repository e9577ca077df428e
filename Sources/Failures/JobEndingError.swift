/// An error that determines the exit status of the job.
public protocol JobEndingError: Error {
  var exitStatus: ExitStatus { get }
  /// Whether every rank throws this error too: then only rank 0 reports it, and all ranks exit cleanly.
  var isKnownToAllRanks: Bool { get }
}

extension JobEndingError {
  public var isKnownToAllRanks: Bool { false }
}

/// What is wrong with the user's request, and what to do about it.
public struct InputError: JobEndingError, CustomStringConvertible {
  public let description: String
  public var exitStatus: ExitStatus { .badInput }

  public init(_ description: String) {
    self.description = description
  }
}

/// A failure during a run, on this rank.
public struct RunError: JobEndingError, CustomStringConvertible {
  public let exitStatus: ExitStatus
  public let description: String

  public init(_ exitStatus: ExitStatus, _ description: String) {
    self.exitStatus = exitStatus
    self.description = description
  }
}
