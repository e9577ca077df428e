import Glibc

// Links are followed: one that leads nowhere does not exist.

package func fileExists(_ path: String) -> Bool { status(of: path) != nil }

package func isFolder(_ path: String) -> Bool { kind(of: path) == S_IFDIR }

package func isRegularFile(_ path: String) -> Bool { kind(of: path) == S_IFREG }

/// The size in bytes, and the time of the last change in seconds since 1970.
/// - Throws: `FileError`.
package func sizeAndTime(of path: String) throws(FileError) -> (size: Int, changed: Double) {
  guard let status = status(of: path) else { throw FileError(cannot: "read", path) }
  return (Int(status.st_size), Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9)
}

private func kind(of path: String) -> mode_t? { status(of: path).map { $0.st_mode & S_IFMT } }

private func status(of path: String) -> stat? {
  var information = stat()
  return stat(path, &information) == 0 ? information : nil
}
