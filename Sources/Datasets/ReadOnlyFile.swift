import Glibc

/// An open file that several threads may read from at once.
final class ReadOnlyFile: Sendable {
  let path: String
  private let descriptor: Int32

  /// - Throws: `DatasetError` (`missing`, `unreadable`).
  init(_ path: String) throws {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let reason = errno
      throw DatasetError(
        reason == ENOENT ? .missing : .unreadable, path, "cannot be opened: \(String(cString: strerror(reason)))",
        advice: "check the path and who may read it")
    }
    self.path = path
  }

  deinit { close(descriptor) }

  /// Reads `count` bytes from `offset` on.
  /// - Parameter what: what they are, in the words of a message.
  /// - Throws: `DatasetError` (`unreadable`, `truncated`).
  func read(
    _ what: @autoclosure () -> String, at offset: Int, count: Int, into destination: UnsafeMutablePointer<UInt8>
  ) throws {
    var done = 0
    while done < count {
      let received = pread(descriptor, destination + done, count - done, off_t(offset + done))
      if received < 0 && errno == EINTR { continue }
      guard received >= 0 else {
        throw DatasetError(
          .unreadable, path, "\(what()) cannot be read: \(String(cString: strerror(errno)))",
          advice: "check the file system, and start again with --resume")
      }
      guard received > 0 else {
        throw DatasetError(.truncated, path, "it ends before the end of \(what())")
      }
      done += received
    }
  }
}
