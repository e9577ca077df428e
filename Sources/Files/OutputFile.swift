import CFileSpace
import Foundation

/// A file that a command writes: it appears whole or not at all. It is written under a temporary name in the same
/// folder, brought to the disk and renamed. A link is followed: what it leads to is replaced, and the link stays.
/// Folders, devices and pipes are never replaced.
public struct OutputFile: Sendable, Equatable {
  /// As the user named it.
  public let path: String
  /// Where the file goes: `path`, with links followed.
  public let target: String
  /// Where it is written until it is whole.
  public let temporaryPath: String

  /// Finds out early whether the file can be written.
  /// - Parameter replaces: whether a file that is there may be replaced.
  /// - Throws: `FileError`.
  public init(_ path: String, replaces: Bool = true) throws(FileError) {
    self.path = path
    guard !path.isEmpty, !path.utf8.contains(0), !path.hasSuffix("/") else {
      throw FileError("cannot write \"\(path.filter { $0 != "\0" })\": it is no file's name")
    }
    target = try followLinks(path)
    let folder = parentFolder(of: target)
    let name = lastPart(ofPath: target)
    // With the process's number, so that two jobs never write to one file; cut, so that long names stay possible.
    temporaryPath = Files.path(
      of: ".\(String(decoding: name.utf8.prefix(200), as: UTF8.self)).\(getpid()).partial", in: folder)
    var information = stat()
    if stat(target, &information) == 0 {
      if let kind = nameOfSpecialFile(information) {
        throw FileError(cannot: "write", path, reason: "it is \(kind); name a file", kind: .notRegular)
      }
      guard replaces else { throw FileError("\(path) exists; give --force to replace it") }
      guard access(target, W_OK) == 0 else { throw FileError(cannot: "write", path) }
    }
    guard access(folder, W_OK | X_OK) == 0 else { throw FileError(cannot: "write \(path): the folder", folder) }
  }

  /// Writes the whole file.
  public func write(_ bytes: some Sequence<UInt8>) throws(FileError) {
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

  /// Has `body` write the file at the temporary path, which is there and empty.
  public func write(by body: (_ temporaryPath: String) throws -> Void) throws {
    do {
      close(try create())
      try body(temporaryPath)
      try publish()
    } catch {
      discard()
      throw error
    }
  }

  /// Makes the temporary file, empty, with the permissions of the file that it will replace. Then write it by its path,
  /// and call `publish` or `discard`: for files that several ranks write together. Otherwise `write` does all of it.
  public func prepare() throws(FileError) { close(try create()) }

  /// Sets aside space on the disk for the temporary file, so that a full disk is found before the work and not after
  /// it. The file's size stays as it is.
  public func reserve(byteCount: Int) throws(FileError) {
    let descriptor = try openDescriptor(temporaryPath, O_WRONLY | O_CLOEXEC)
    defer { close(descriptor) }
    let status = ddpm_reserve_file_space(descriptor, Int64(byteCount), 1)
    // Some file systems cannot tell; then the write will.
    if [0, EOPNOTSUPP, EINVAL, ENOSYS].contains(status) { return }
    throw FileError(
      cannot: "write", path,
      reason: "there is no room for its \(byteCount) bytes: \(String(cString: strerror(status)))",
      kind: .other)
  }

  /// Brings the temporary file to the disk and gives it its name.
  public func publish() throws(FileError) {
    try synchronise(temporaryPath)
    guard rename(temporaryPath, target) == 0 else { throw FileError(cannot: "rename \(temporaryPath) to", target) }
    // The name must reach the disk too. Some file systems know no such request; the file is whole without it.
    try? synchronise(parentFolder(of: target))
  }

  /// Removes the temporary file.
  public func discard() { unlink(temporaryPath) }

  private func create() throws(FileError) -> Int32 {
    // What a process of the same number has left behind.
    discard()
    let descriptor = try openDescriptor(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)
    var information = stat()
    if stat(target, &information) == 0 { fchmod(descriptor, information.st_mode & 0o777) }
    return descriptor
  }
}

/// Replaces the file at `path` as a whole: a crash leaves the old contents or the new.
public func replaceFile(at path: String, with bytes: some Sequence<UInt8>) throws(FileError) {
  try OutputFile(path).write(bytes)
}

/// Writes all of `bytes`; true when the system took them.
public func writeAll(_ bytes: some Sequence<UInt8>, to descriptor: Int32) -> Bool {
  let bytes = Array(bytes)
  var written = 0
  while written < bytes.count {
    let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { return false }
    written += count
  }
  return true
}

/// Brings a file's contents, or a folder's names, to the disk.
private func synchronise(_ path: String) throws(FileError) {
  let descriptor = try openDescriptor(path, O_RDONLY | O_CLOEXEC)
  defer { close(descriptor) }
  guard fsync(descriptor) == 0 else { throw FileError(cannot: "write", path) }
}
