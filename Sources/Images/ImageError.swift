import Failures
import Files

/// An image file that could not be read or written.
public struct ImageError: JobEndingError, Equatable, CustomStringConvertible {
  public enum Kind: Sendable {
    /// The contents are damaged, or not an image of a supported format.
    case damaged
    /// Above a limit that protects memory; the message names the limit.
    case tooLarge
    /// The system refuses reading or writing.
    case inaccessible
  }

  public let kind: Kind
  public let path: String
  /// The message of the format's library or the operating system.
  public let message: String

  public var exitStatus: ExitStatus { .badInput }
  public var description: String { "\(path): \(message)" }

  init(_ kind: Kind, _ path: String, _ message: String) {
    self.kind = kind
    self.path = path
    self.message = message
  }

  init(_ error: FileError, _ path: String) {
    self.init(error.kind == .tooLarge ? .tooLarge : .inaccessible, path, error.reason)
  }
}
