import Failures

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

  /// The same problems, each with the file's name before the key's.
  public func found(in file: String) -> ConfigurationError {
    ConfigurationError(problems.map { "\(file): \($0)" })
  }

  /// What `body` returns.
  /// - Throws: its problems with a configuration that comes from a file, each with the file's name before the key's.
  public static func found<Result>(in file: String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as ConfigurationError { throw error.found(in: file) }
  }

  public var exitStatus: ExitStatus { .badInput }

  public var description: String {
    problems.joined(separator: "\n")
  }
}
