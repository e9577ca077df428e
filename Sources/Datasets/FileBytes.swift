import Compression
import Glibc

/// The bytes of a file; a file that gzip has compressed is unpacked.
/// - Throws: `DatasetError` (`missing`, `unreadable`).
func readFile(_ path: String) throws -> [UInt8] {
  var information = stat()
  guard stat(path, &information) == 0 else {
    let reason = errno
    throw DatasetError(
      reason == ENOENT ? .missing : .unreadable, path, "cannot be opened: \(String(cString: strerror(reason)))",
      advice: "check the path and who may read it")
  }
  guard information.st_mode & S_IFMT == S_IFREG else {
    throw DatasetError(.unreadable, path, "is no ordinary file", advice: "check the path")
  }
  do {
    return try gunzip(contentsOf: path)
  } catch {
    throw DatasetError(.unreadable, path, "cannot be read: \(error.message)", advice: "fetch the file again")
  }
}

func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }
