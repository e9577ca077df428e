import Compression
import Files

/// The bytes of a file; a file compressed by gzip is decompressed.
/// - Throws: `DatasetError` (`missing`, `unreadable`).
func readFile(_ path: String) throws(DatasetError) -> [UInt8] {
  // Distinguishes a missing file from a damaged one.
  do { _ = try RegularFile(path) } catch { throw DatasetError(error, path) }
  do {
    return try gunzip(contentsOf: path)
  } catch {
    throw DatasetError(.unreadable, path, "cannot be read: \(error.message)", advice: "fetch the file again")
  }
}

/// Enough bytes to recognise a format; empty if the file cannot be read.
func firstBytes(of path: String) -> [UInt8] {
  do { return try RegularFile(path).bytes(first: 512) } catch { return [] }
}

extension DatasetError {
  /// Converts the error of a file that could not be opened.
  init(_ error: FileError, _ path: String) {
    self.init(
      error.kind == .missing ? .missing : .unreadable, path, "cannot be opened: \(error.reason)",
      advice: "check the path and its permissions")
  }
}
