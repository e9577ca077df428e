import Failures
import Files

/// An image file that could not be read or written.
public struct ImageError: JobEndingError, Equatable, CustomStringConvertible {
  public enum Kind: Sendable {
    /// Its contents are not what they were, or no image that can be read.
    case damaged
    /// Above a limit that was set to save memory; the message names it.
    case tooLarge
    /// The system does not give it, or takes none.
    case inaccessible
  }

  public let kind: Kind
  public let path: String
  /// What the library of the format or the operating system says.
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
