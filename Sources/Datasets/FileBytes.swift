import Compression
import Files
import Glibc

/// The bytes of a file; a file that gzip has compressed is unpacked.
/// - Throws: `DatasetError` (`missing`, `unreadable`).
func readFile(_ path: String) throws -> [UInt8] {
  // What is missing is told apart from what is damaged.
  do { _ = try RegularFile(path) } catch { throw DatasetError(error, path) }
  do {
    return try gunzip(contentsOf: path)
  } catch {
    throw DatasetError(.unreadable, path, "cannot be read: \(error.message)", advice: "fetch the file again")
  }
}

func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

extension DatasetError {
  /// A file that could not be opened.
  init(_ error: FileError, _ path: String) {
    self.init(
      error.kind == .missing ? .missing : .unreadable, path, "cannot be opened: \(error.reason)",
      advice: "check the path and who may read it")
  }
}
