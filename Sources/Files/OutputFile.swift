import CFileSpace
import Glibc

/// A file that a command writes: it appears completely or not at all. It is written under a temporary name in the same
/// folder, flushed to the disk and renamed. A link is followed: its target is replaced, and the link stays. Folders,
/// devices and pipes are never replaced.
package struct OutputFile: Sendable, Equatable {
  /// The path given by the user.
  package let path: String
  /// The final location: `path` with links resolved.
  package let target: String
  /// The location during writing.
  package let temporaryPath: String

  /// Checks early whether the file can be written.
  /// - Parameter replaces: whether an existing file may be replaced.
  /// - Throws: `FileError`.
  package init(_ path: String, replaces: Bool = true) throws(FileError) {
    self.path = path
    guard !path.isEmpty, !path.utf8.contains(0), !path.hasSuffix("/") else {
      throw FileError("cannot write \"\(path.filter { $0 != "\0" })\": it is not a valid file name")
    }
    target = try followLinks(path)
    let folder = parentFolder(of: target)
    temporaryPath = Files.temporaryPath(for: target)
    var information = stat()
    if stat(target, &information) == 0 {
      if let kind = nameOfSpecialFile(information) {
        throw FileError(cannot: "write", path, reason: "it is \(kind), not a file", kind: .notRegular)
      }
      guard replaces else { throw FileError("\(path) exists; use --force to replace it") }
      guard access(target, W_OK) == 0 else { throw FileError(cannot: "write", path) }
    }
    guard access(folder, W_OK | X_OK) == 0 else { throw FileError(cannot: "write \(path): the folder", folder) }
  }

  /// Writes the whole file.
  package func write(_ bytes: some Sequence<UInt8>) throws(FileError) {
    do throws(FileError) {
      let descriptor = try create()
      let isWritten = writeAll(bytes, to: descriptor)
      let error = FileError(cannot: "write", path)
      close(descriptor)
      guard isWritten else { throw error }
      try publish()
    } catch {
      discard()
      throw error
    }
  }

  /// Lets `body` write the file at the temporary path, which exists and is empty.
  package func write(by body: (_ temporaryPath: String) throws -> Void) throws {
    do {
      close(try create())
      try body(temporaryPath)
      try publish()
    } catch {
      discard()
      throw error
    }
  }

  /// Creates the temporary file, empty, with the permissions of the file that it will replace. The caller then writes
  /// it by its path and calls `publish` or `discard`. For files that several ranks write together; otherwise `write`
  /// does all of this.
  package func prepare() throws(FileError) { close(try create()) }

  /// Reserves space on the disk for the temporary file, so that a full disk is detected before the work and not
  /// afterwards. The file's size does not change.
  package func reserve(byteCount: Int) throws(FileError) {
    let descriptor = try openDescriptor(temporaryPath, O_WRONLY | O_CLOEXEC)
    defer { close(descriptor) }
    if let code = reserveSpace(descriptor, byteCount: byteCount, keepsSize: true) {
      throw FileError(
        cannot: "write", path,
        reason: "there is no space for its \(byteCount) bytes: \(String(cString: strerror(code)))", kind: .other)
    }
  }

  /// Flushes the temporary file to the disk and moves it to its final name.
  package func publish() throws(FileError) { try publishFile(temporaryPath, as: target) }

  /// Removes the temporary file.
  package func discard() { unlink(temporaryPath) }

  private func create() throws(FileError) -> Int32 {
    // Left behind by a process with the same number.
    discard()
    let descriptor = try openDescriptor(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)
    var information = stat()
    if stat(target, &information) == 0 { fchmod(descriptor, information.st_mode & 0o777) }
    return descriptor
  }
}

/// Replaces the file at `path` atomically: a crash leaves either the old contents or the new.
package func replaceFile(at path: String, with bytes: some Sequence<UInt8>) throws(FileError) {
  try OutputFile(path).write(bytes)
}

/// Writes all of `bytes`; returns whether that succeeded.
package func writeAll(_ bytes: some Sequence<UInt8>, to descriptor: Int32) -> Bool {
  let bytes = Array(bytes)
  return writeBeginning(of: bytes, to: descriptor) == bytes.count
}

/// Writes all of `bytes` or, if the file system accepts no more, as many as possible; returns their number.
func writeBeginning(of bytes: [UInt8], to descriptor: Int32) -> Int {
  var written = 0
  while written < bytes.count {
    let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { break }
    written += count
  }
  return written
}

/// Where a file or a folder is made before it gets its name.
func temporaryPath(for target: String) -> String {
  // Contains the process number, so that two jobs never write to the same one; truncated, so that long names remain
  // possible.
  let name = String(decoding: lastPart(ofPath: target).utf8.prefix(200), as: UTF8.self)
  return path(of: ".\(name).\(getpid()).partial", in: parentFolder(of: target))
}

/// Reserves space on the disk for a file.
/// - Parameter keepsSize: whether the file's size stays what it is.
/// - Returns: the system's error code if there is no space. Some file systems cannot tell; then the write fails.
package func reserveSpace(_ descriptor: Int32, byteCount: Int, keepsSize: Bool) -> Int32? {
  let status = ddpm_reserve_file_space(descriptor, 0, Int64(byteCount), keepsSize ? 1 : 0)
  return [0, EOPNOTSUPP, EINVAL, ENOSYS].contains(status) ? nil : status
}

/// Returns the space on the disk that was reserved for a file beyond its end, if there is any.
package func releaseReservedSpace(ofFile path: String) {
  guard let descriptor = try? openDescriptor(path, O_WRONLY | O_CLOEXEC) else { return }
  defer { close(descriptor) }
  var information = stat()
  if fstat(descriptor, &information) == 0 { ftruncate(descriptor, information.st_size) }
}

/// Flushes a finished file to the disk and moves it to its final name.
package func publishFile(_ temporaryPath: String, as target: String) throws(FileError) {
  try synchronise(temporaryPath)
  guard rename(temporaryPath, target) == 0 else { throw FileError(cannot: "rename \(temporaryPath) to", target) }
  // The name must be flushed too. Some file systems cannot flush folders, and a folder may be unreadable; the file is
  // complete anyway.
  let descriptor = open(parentFolder(of: target), O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  defer { close(descriptor) }
  guard fsync(descriptor) == 0 || [EINVAL, EOPNOTSUPP].contains(errno) else { throw FileError(cannot: "write", target) }
}

/// Flushes a file's contents to the disk.
func synchronise(_ path: String) throws(FileError) {
  let descriptor = try openDescriptor(path, O_RDONLY | O_CLOEXEC)
  defer { close(descriptor) }
  guard fsync(descriptor) == 0 else { throw FileError(cannot: "write", path) }
}
