import Foundation

/// A file that grows at its end. What is appended is in it when `append` returns or, should the file system refuse it,
/// after a later `append`; so a full disk costs nothing but time.
public struct AppendedFile: ~Copyable {
  public let path: String
  private let descriptor: Int32
  /// What the file system has not taken yet.
  private var pending: [UInt8] = []

  /// Opens the file at `path`, creating it where it is missing.
  /// - Throws: `FileError`, also where a link or anything else that is no file is in its place.
  public init(path: String) throws(FileError) {
    let descriptor = try openInPlace(path, O_WRONLY | O_CREAT | O_APPEND)
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
  }

  /// Bytes that the file system has not taken yet.
  public var pendingCount: Int { pending.count }

  /// - Throws: if the file system takes nothing more, as when it is full; the bytes are kept for the next time.
  public mutating func append(_ bytes: some Sequence<UInt8>) throws(FileError) {
    pending += bytes
    var written = 0
    defer { pending.removeFirst(written) }
    while written < pending.count {
      let count = pending.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw FileError(cannot: "write", path) }
      written += count
    }
  }
}
