import Failures
import Glibc

/// A failed operation on a file or folder, with its path and the system's reason.
package struct FileError: JobEndingError, Equatable, CustomStringConvertible {
  package enum Kind: Sendable {
    case missing
    /// A folder, a pipe, a device or a socket, although a regular file is expected.
    case notRegular
    case tooLarge
    /// Another process holds the lock.
    case locked
    case other
  }

  package let kind: Kind
  /// The reason, without the action and the path.
  package let reason: String
  package var exitStatus: ExitStatus { .badInput }
  package let description: String

  package init(_ description: String, kind: Kind = .other) {
    self.kind = kind
    self.reason = description
    self.description = description
  }

  /// `cannot <action> <path>: <reason>`.
  package init(cannot action: String, _ path: String, reason: String, kind: Kind) {
    self.kind = kind
    self.reason = reason
    description = "cannot \(action) \(path): \(reason)"
  }

  /// The failure of the system call just made.
  package init(cannot action: String, _ path: String) {
    let code = errno
    self.init(cannot: action, path, reason: String(cString: strerror(code)), kind: code == ENOENT ? .missing : .other)
  }
}
