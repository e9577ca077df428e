import Failures
import Files
import Glibc
import MessagePassing

/// Ends the whole job from one rank, if the others do not know of the error and would wait forever.
package enum JobAbort {
  /// Prints the reason to standard error and ends every process of the job. May be called from any thread.
  package static func abort(_ message: String, status: ExitStatus) -> Never {
    report(message)
    // A library that has lost its peers may not return.
    alarm(15)
    MPISession.abort(status: status.rawValue)
  }

  /// Handles an error that only this rank has, as `main` does.
  package static func abort(rank: Int, _ error: any Error) -> Never {
    abort("rank \(rank): \(error)", status: ExitStatus(for: error))
  }

  /// Writes a line to standard error, after everything printed before.
  package static func report(_ message: String) {
    fflush(nil)
    // If it cannot be written, there is no other way to report it.
    _ = writeAll("ddpm-mpi: \(message.printable)\n".utf8, to: STDERR_FILENO)
  }
}
