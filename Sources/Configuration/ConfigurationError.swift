import Jobs

/// What is wrong with a configuration: every problem found, one line each, with the key, the value found and what is
/// allowed.
public struct ConfigurationError: JobEndingError, Equatable, CustomStringConvertible {
  public let problems: [String]

  public init(_ problems: [String]) {
    precondition(!problems.isEmpty, "an error needs a problem")
    self.problems = problems
  }

  public init(_ problem: String) {
    self.init([problem])
  }

  public var exitStatus: ExitStatus { .badInput }

  public var description: String {
    problems.joined(separator: "\n")
  }
}
