import Glibc

/// A file that grows at its end. Appended bytes are in the file when `append` returns or, if the file system rejects
/// them, after a later `append`; a full disk therefore loses no data.
package struct AppendedFile: ~Copyable {
  package let path: String
  private let descriptor: Int32
  /// Bytes that the file system has not accepted yet.
  private var pending: [UInt8] = []

  /// Opens the file at `path`, creating it if missing.
  /// - Throws: `FileError`, also if `path` is a link or anything else that is not a regular file.
  package init(path: String) throws(FileError) {
    let descriptor = try openInPlace(path, O_WRONLY | O_CREAT | O_APPEND)
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
  }

  /// The number of bytes that the file system has not accepted yet.
  package var pendingCount: Int { pending.count }

  /// - Throws: if the file system accepts no data, for instance because it is full; the bytes are kept for the next
  ///   call.
  package mutating func append(_ bytes: some Sequence<UInt8>) throws(FileError) {
    pending += bytes
    let written = writeBeginning(of: pending, to: descriptor)
    defer { pending.removeFirst(written) }
    guard written == pending.count else { throw FileError(cannot: "write", path) }
  }
}
