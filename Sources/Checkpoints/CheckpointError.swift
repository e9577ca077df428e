import Failures
import Glibc

/// A checkpoint that cannot be used or could not be written.
public struct CheckpointError: JobEndingError, Equatable, CustomStringConvertible {
  public let path: String
  public let problem: String

  public init(path: String, problem: String) {
    self.path = path
    self.problem = problem
  }

  /// A failed system call.
  init(path: String, failure: String, code: Int32 = errno) {
    self.init(path: path, problem: "\(failure): \(String(cString: strerror(code)))")
  }

  public var exitStatus: ExitStatus { .badCheckpoint }
  public var description: String { "\(path): \(problem)" }
}
