import Failures

/// A file from another program that cannot be used: the file, what is wrong with it, and what to do.
public struct InterchangeError: JobEndingError, Equatable, CustomStringConvertible {
  public let path: String
  /// What was expected and what was found.
  public let problem: String
  public let advice: String

  public var exitStatus: ExitStatus { .badInput }
  public var description: String { "\(path): \(problem); \(advice)" }

  public init(_ path: String, _ problem: String, advice: String = "the file is damaged: fetch or create it again") {
    self.path = path
    self.problem = problem
    self.advice = advice
  }
}
