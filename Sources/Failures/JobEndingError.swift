/// An error that determines the exit status of the job.
package protocol JobEndingError: Error {
  var exitStatus: ExitStatus { get }
  /// Whether every rank throws this error too: then only rank 0 reports it, and all ranks exit cleanly.
  var isKnownToAllRanks: Bool { get }
}

extension JobEndingError {
  package var isKnownToAllRanks: Bool { false }
}

/// What is wrong with the user's request, and what to do about it.
package struct InputError: JobEndingError, CustomStringConvertible {
  package let description: String
  package var exitStatus: ExitStatus { .badInput }

  package init(_ description: String) {
    self.description = description
  }
}

/// A failure during a run, on this rank.
package struct RunError: JobEndingError, CustomStringConvertible {
  package let exitStatus: ExitStatus
  package let description: String

  package init(_ exitStatus: ExitStatus, _ description: String) {
    self.exitStatus = exitStatus
    self.description = description
  }
}
