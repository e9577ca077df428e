import Failures
import Glibc

/// A checkpoint that cannot be used or could not be written.
package struct CheckpointError: JobEndingError, Equatable, CustomStringConvertible {
  package let path: String
  package let problem: String

  package init(path: String, problem: String) {
    self.path = path
    self.problem = problem
  }

  /// A failed system call.
  init(path: String, failure: String, code: Int32 = errno) {
    self.init(path: path, problem: "\(failure): \(String(cString: strerror(code)))")
  }

  package var exitStatus: ExitStatus { .badCheckpoint }
  package var description: String { "\(path): \(problem)" }
}
