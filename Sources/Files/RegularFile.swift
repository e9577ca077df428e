import FoundationEssentials
import Glibc

/// A file open for reading. Pipes, devices, sockets and folders are rejected when it is opened: a pipe would block
/// forever, and a device may be endless.
///
/// Several threads may read from it at once.
package struct RegularFile: ~Copyable, Sendable {
  package let path: String
  /// The size in bytes when it was opened.
  package let size: Int
  /// When it was last changed, in seconds since 1970.
  package let modificationTime: Double
  private let descriptor: Int32

  /// - Parameter followsLink: whether `path` may be a symbolic link.
  /// - Throws: `FileError`: `missing`, `notRegular`, or `other` with the system's reason.
  package init(_ path: String, followsLink: Bool = true) throws(FileError) {
    // Without O_NONBLOCK, opening a pipe without a writer would block.
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (followsLink ? 0 : O_NOFOLLOW)
    let descriptor = try openDescriptor(path, flags)
    var information = stat()
    guard fstat(descriptor, &information) == 0 else {
      let error = FileError(cannot: "read", path)
      close(descriptor)
      throw error
    }
    if let kind = nameOfSpecialFile(information) {
      close(descriptor)
      throw FileError(cannot: "read", path, reason: "it is \(kind), not a file", kind: .notRegular)
    }
    self.path = path
    self.size = Int(information.st_size)
    self.modificationTime = Double(information.st_mtim.tv_sec) + 1e-9 * Double(information.st_mtim.tv_nsec)
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Overwrites `target` with the bytes from `offset` on, all of it unless the file ends before.
  /// - Returns: how many bytes were read.
  package func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    guard let start = target.baseAddress else { return 0 }
    var done = 0
    while done < target.count {
      let received = pread(descriptor, start + done, target.count - done, off_t(offset + done))
      if received < 0 && errno == EINTR { continue }
      guard received >= 0 else { throw FileError(cannot: "read", path) }
      if received == 0 { break }
      done += received
    }
    return done
  }

  /// All bytes.
  /// - Parameter limit: the maximum size; it is checked before memory is allocated.
  /// - Throws: `FileError`, of kind `tooLarge` if the file exceeds the limit.
  package func bytes(limit: Int = .max) throws(FileError) -> [UInt8] {
    guard size <= limit else {
      throw FileError(
        cannot: "read", path, reason: "it has \(size) bytes, more than the limit of \(limit)", kind: .tooLarge)
    }
    return try bytes(first: limit)
  }

  /// The first `count` bytes, or all if there are fewer. If a file grows meanwhile, as a log does, it is read up to its
  /// earlier size.
  package func bytes(first count: Int) throws(FileError) -> [UInt8] {
    try bytes(from: 0, count: min(size, count))
  }

  /// `count` bytes from `offset` on, or fewer where the file ends before.
  package func bytes(from offset: Int, count: Int) throws(FileError) -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { (buffer, filled) throws(FileError) in
      let target = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count])
      filled = try read(at: offset, into: target)
    }
  }

  /// The bytes `range`.
  /// - Throws: `FileError`, also if the file is shorter.
  package func bytes(in range: Range<Int>) throws(FileError) -> [UInt8] {
    guard range.upperBound <= size else {
      throw FileError(cannot: "read", path, reason: "it ends after \(size) bytes", kind: .other)
    }
    let bytes = try bytes(from: range.lowerBound, count: range.count)
    guard bytes.count == range.count else {
      throw FileError(cannot: "read", path, reason: "it has become shorter", kind: .other)
    }
    return bytes
  }

  /// The bytes, mapped into memory: they are read when they are accessed.
  package func mapped() throws(FileError) -> Data {
    if size == 0 { return Data() }
    guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw FileError(cannot: "read", path)
    }
    return Data(bytesNoCopy: start, count: size, deallocator: .unmap)
  }
}

/// The bytes of the file at `path`.
package func readBytes(at path: String, limit: Int = .max) throws(FileError) -> [UInt8] {
  try RegularFile(path).bytes(limit: limit)
}

/// The text of the UTF-8 file at `path`.
package func readText(at path: String, limit: Int = .max) throws(FileError) -> String {
  guard let text = String(validating: try readBytes(at: path, limit: limit), as: UTF8.self) else {
    throw FileError(cannot: "read", path, reason: "it is not UTF-8 text", kind: .other)
  }
  return text
}

/// Opens a path after checking that it is valid for the system.
///
/// This module calls the C library rather than swift-system, whose `FileDescriptor` opens, reads, writes and closes, but
/// neither locks (flock), flushes (fsync) and renames files, nor lists folders. With it there would be two kinds of
/// descriptors and of errors.
func openDescriptor(_ path: String, _ flags: Int32, _ mode: mode_t = 0o666) throws(FileError) -> Int32 {
  // A C string ends at its first zero byte, and an empty path is invalid.
  guard !path.isEmpty, !path.utf8.contains(0) else {
    throw FileError("\"\(path.filter { $0 != "\0" })\" is not a valid path", kind: .missing)
  }
  let descriptor = open(path, flags, mode)
  guard descriptor >= 0 else { throw FileError(cannot: "open", path) }
  return descriptor
}

/// Opens a file for writing in place. A link is rejected: in a folder from an unknown source, it could point to a file
/// that has nothing to do with the run.
func openInPlace(_ path: String, _ flags: Int32) throws(FileError) -> Int32 {
  var information = stat()
  if lstat(path, &information) == 0, let kind = nameOfSpecialFile(information) {
    throw FileError(cannot: "write", path, reason: "it is \(kind), not a file; remove it", kind: .notRegular)
  }
  return try openDescriptor(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
}

/// What a file is, in words, if it is not a regular file.
func nameOfSpecialFile(_ information: stat) -> String? {
  switch information.st_mode & S_IFMT {
  case S_IFREG: nil
  case S_IFDIR: "a folder"
  case S_IFIFO: "a pipe"
  case S_IFSOCK: "a socket"
  case S_IFLNK: "a link"
  default: "a device"
  }
}
