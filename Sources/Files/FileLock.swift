import Glibc
import Threads

/// Locks a folder against other processes while this process lives and keeps the object: an advisory lock on a file in
/// the folder, which the system releases however the process ends. Where the file system has no locks, a second file
/// takes its place (`HeartbeatLock`).
package final class FileLock {
  private let path: String
  private let descriptor: Int32
  private let heartbeat: HeartbeatLock?

  /// The name of the second file.
  package static func heartbeatPath(for path: String) -> String { path + ".held" }

  /// - Parameters:
  ///   - path: the file, which is created if missing.
  ///   - owner: a description of this process, which is shown to a process that is refused.
  ///   - note: receives messages for the user if the file system has no locks.
  ///   - lost: called on another thread if the file system has no locks, and another process has taken the lock over
  ///     since this one could not renew it. It must end this process.
  /// - Throws: `FileError` if another process holds the lock, with its description, or if the file cannot be written.
  package init(
    _ path: String, owner: String, note: (String) -> Void = { _ in },
    lost: @escaping @Sendable (String) -> Void = { endProcess($0) }
  ) throws(FileError) {
    var (descriptor, isLocked) = try Self.lockedFile(path)
    // Its last owner may have removed the file between the two calls; the lock would then protect nothing.
    while !Self.isAt(path, descriptor) {
      close(descriptor)
      (descriptor, isLocked) = try Self.lockedFile(path)
    }
    do throws(FileError) {
      var heartbeat: HeartbeatLock?
      if !isLocked {
        let other = Self.heartbeatPath(for: path)
        note("The file system of \(path) has no locks; the file \(other) keeps other jobs out instead.")
        heartbeat = try HeartbeatLock(other, owner: owner, note: note, lost: lost)
      }
      guard ftruncate(descriptor, 0) == 0, writeAll("\(owner)\n".utf8, to: descriptor) else {
        throw FileError(cannot: "write", path)
      }
      self.path = path
      self.descriptor = descriptor
      self.heartbeat = heartbeat
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// Removes what the lock has written, when there is nothing left to protect. Where the file system has locks, the lock
  /// itself is kept.
  package func removeFile() {
    unlink(path)
    heartbeat?.release()
  }

  /// - Returns: whether the file is locked; otherwise the file system has no locks.
  private static func lockedFile(_ path: String) throws(FileError) -> (descriptor: Int32, isLocked: Bool) {
    let descriptor = try openInPlace(path, O_RDWR | O_CREAT)
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return (descriptor, true) }
    if meansNoLocks(errno) { return (descriptor, false) }
    let isTaken = errno == EWOULDBLOCK
    let error = FileError(cannot: "lock", path)
    close(descriptor)
    guard isTaken else { throw error }
    let other = ((try? readText(at: path)) ?? "").split(separator: "\n").first.map(String.init) ?? "another process"
    throw FileError("\(path) is locked by \(other)", kind: .locked)
  }

  private static func isAt(_ path: String, _ descriptor: Int32) -> Bool {
    var (mine, there) = (stat(), stat())
    return fstat(descriptor, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino
      && mine.st_dev == there.st_dev
  }
}

/// Whether the file system of an existing file or folder has locks (flock(2)). They are missing on Lustre mounted with
/// `noflock`, and on NFS without its lock service.
package func hasLocks(_ path: String) -> Bool {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
  // Whoever uses the file will find out what is wrong.
  guard descriptor >= 0 else { return true }
  defer { close(descriptor) }
  return flock(descriptor, LOCK_SH | LOCK_NB) == 0 || !meansNoLocks(errno)
}

private func meansNoLocks(_ code: Int32) -> Bool {
  // The kernel's own ENOTSUPP, which the C library has no name for. Cray's DVS passes it on to programs.
  let notSupportedInKernel: Int32 = 524
  return [ENOSYS, EOPNOTSUPP, ENOLCK, notSupportedInKernel].contains(code)
}
