import Failures

/// The problems of a configuration, one line each, with the key, the value found and the values allowed.
public struct ConfigurationError: JobEndingError, Equatable, CustomStringConvertible {
  public let problems: [String]

  public init(_ problems: [String]) {
    precondition(!problems.isEmpty, "an error needs a problem")
    self.problems = problems
  }

  public init(_ problem: String) {
    self.init([problem])
  }

  /// The same problems, with the file's name before each key.
  public func found(in file: String) -> ConfigurationError {
    ConfigurationError(problems.map { "\(file): \($0)" })
  }

  /// Calls `body`.
  /// - Throws: its problems with a configuration from a file, with the file's name before each key.
  public static func found<Result>(in file: String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as ConfigurationError { throw error.found(in: file) }
  }

  public var exitStatus: ExitStatus { .badInput }

  public var description: String {
    problems.joined(separator: "\n")
  }
}
