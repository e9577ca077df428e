import Failures

/// A checkpoint that cannot be used or could not be written.
public struct CheckpointError: JobEndingError, Equatable, CustomStringConvertible {
  public let path: String
  public let problem: String

  public init(path: String, problem: String) {
    self.path = path
    self.problem = problem
  }

  public var exitStatus: ExitStatus { .badCheckpoint }
  public var description: String { "\(path): \(problem)" }
}
