import Failures

/// The problems of a configuration, one line each, with the key, the value found and the values allowed.
package struct ConfigurationError: JobEndingError, Equatable, CustomStringConvertible {
  package let problems: [String]

  package init(_ problems: [String]) {
    precondition(!problems.isEmpty, "an error needs a problem")
    self.problems = problems
  }

  package init(_ problem: String) {
    self.init([problem])
  }

  /// The same problems, with the file's name before each key.
  package func found(in file: String) -> ConfigurationError {
    ConfigurationError(problems.map { "\(file): \($0)" })
  }

  /// Calls `body`.
  /// - Throws: its problems with a configuration from a file, with the file's name before each key.
  package static func found<Result>(in file: String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as ConfigurationError { throw error.found(in: file) }
  }

  package var exitStatus: ExitStatus { .badInput }

  package var description: String {
    problems.joined(separator: "\n")
  }
}
