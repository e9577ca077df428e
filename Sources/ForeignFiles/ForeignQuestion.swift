import Failures

/// A question about a file that may be damaged, answered by a library that a damaged file may crash. A child process
/// answers, so that a crash or an endless loop becomes an ordinary error (`ForeignReader`).
package protocol ForeignQuestion: Codable, Sendable {
  associatedtype Answer: Codable & Sendable
  /// Why there is no answer.
  associatedtype Failure: Error & Codable

  /// Called in the child process.
  func answer() throws(Failure) -> Answer
}

/// What a child process sends back.
enum ForeignReply<Question: ForeignQuestion>: Codable {
  case answer(Question.Answer)
  case failure(Question.Failure)
}

/// A child process that ended before it answered.
package struct ForeignReaderError: JobEndingError, Equatable, CustomStringConvertible {
  package var exitStatus: ExitStatus { .failure }
  package let description: String

  init(_ description: String) { self.description = description }
}
