import Failures

/// A file from another program that cannot be used: the file, what is wrong with it, and what to do.
package struct InterchangeError: JobEndingError, Equatable, CustomStringConvertible {
  package let path: String
  /// What was expected and what was found.
  package let problem: String
  package let advice: String

  package var exitStatus: ExitStatus { .badInput }
  package var description: String { "\(path): \(problem); \(advice)" }

  package init(_ path: String, _ problem: String, advice: String = "the file is damaged: fetch or create it again") {
    self.path = path
    self.problem = problem
    self.advice = advice
  }
}
