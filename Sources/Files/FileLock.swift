import Foundation

/// Keeps others from a folder as long as this process lives and holds on to it: an advisory lock on a file in it, which
/// the system lets go of however the process ends.
public final class FileLock {
  private let path: String
  private let descriptor: Int32

  /// - Parameters:
  ///   - path: the file, which is made if it is not there.
  ///   - owner: who we are, in words; the next one who is refused reads it.
  /// - Throws: `FileError` if another process holds the lock, with what that one said of itself, or the file cannot be
  ///   written.
  public init(_ path: String, owner: String) throws(FileError) {
    var descriptor = try Self.lockedFile(path)
    // Its last owner may have removed the file between the two calls: then the lock keeps nobody out.
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

  /// Removes the file, where there is nothing to be kept from others any more. The lock itself stays.
  public func removeFile() { unlink(path) }

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
