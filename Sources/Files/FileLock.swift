import Foundation

/// Keeps others from a folder as long as this process lives and holds on to it: an advisory lock on a file in it, which
/// the system lets go of however the process ends.
public final class FileLock {
  private let descriptor: Int32

  /// - Parameters:
  ///   - path: the file, which is made if it is not there.
  ///   - owner: who we are, in words; the next one who is refused reads it.
  /// - Throws: `FileError` if another process holds the lock, with what that one said of itself, or the file cannot be
  ///   written.
  public init(_ path: String, owner: String) throws(FileError) {
    let descriptor = try openInPlace(path, O_RDWR | O_CREAT)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let isTaken = errno == EWOULDBLOCK
      let error = FileError(cannot: "lock", path)
      close(descriptor)
      guard isTaken else { throw error }
      let other = ((try? readText(at: path)) ?? "").split(separator: "\n").first.map(String.init) ?? "another process"
      throw FileError("\(path) is locked by \(other)")
    }
    self.descriptor = descriptor
    guard ftruncate(descriptor, 0) == 0, writeAll("\(owner)\n".utf8, to: descriptor) else {
      throw FileError(cannot: "write", path)
    }
  }

  deinit { close(descriptor) }
}
