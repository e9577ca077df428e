import Failures
import Files

/// An image file that could not be read or written.
package struct ImageError: JobEndingError, Equatable, CustomStringConvertible {
  package enum Kind: Sendable {
    /// The contents are damaged, or not an image of a supported format.
    case damaged
    /// Above a limit that protects memory; the message names the limit.
    case tooLarge
    /// The system refuses reading or writing.
    case inaccessible
  }

  package let kind: Kind
  package let path: String
  /// The message of the format's library or the operating system.
  package let message: String

  package var exitStatus: ExitStatus { .badInput }
  package var description: String { "\(path): \(message)" }

  init(_ kind: Kind, _ path: String, _ message: String) {
    self.kind = kind
    self.path = path
    self.message = message
  }

  init(_ error: FileError, _ path: String) {
    self.init(error.kind == .tooLarge ? .tooLarge : .inaccessible, path, error.reason)
  }
}
