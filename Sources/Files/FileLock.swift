import Glibc

/// Locks a folder against other processes while this process lives and keeps the object: an advisory lock on a file in
/// the folder, which the system releases however the process ends.
package final class FileLock {
  private let path: String
  private let descriptor: Int32

  /// - Parameters:
  ///   - path: the file, which is created if missing.
  ///   - owner: a description of this process, which is shown to a process that is refused.
  /// - Throws: `FileError` if another process holds the lock, with its description, or if the file cannot be written.
  package init(_ path: String, owner: String) throws(FileError) {
    var descriptor = try Self.lockedFile(path)
    // Its last owner may have removed the file between the two calls; the lock would then protect nothing.
    while !Self.isAt(path, descriptor) {
      close(descriptor)
      descriptor = try Self.lockedFile(path)
    }
    self.path = path
    self.descriptor = descriptor
    guard ftruncate(descriptor, 0) == 0, writeAll("\(owner)\n".utf8, to: descriptor) else {
      throw FileError(cannot: "write", path)
    }
  }

  deinit { close(descriptor) }

  /// Removes the file when there is nothing left to protect. The lock itself is kept.
  package func removeFile() { unlink(path) }

  private static func lockedFile(_ path: String) throws(FileError) -> Int32 {
    let descriptor = try openInPlace(path, O_RDWR | O_CREAT)
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
    let isTaken = errno == EWOULDBLOCK
    let error = FileError(cannot: "lock", path)
    close(descriptor)
    guard isTaken else { throw error }
    let other = ((try? readText(at: path)) ?? "").split(separator: "\n").first.map(String.init) ?? "another process"
    throw FileError("\(path) is locked by \(other)")
  }

  private static func isAt(_ path: String, _ descriptor: Int32) -> Bool {
    var (mine, there) = (stat(), stat())
    return fstat(descriptor, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino
      && mine.st_dev == there.st_dev
  }
}
