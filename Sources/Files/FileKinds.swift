import Glibc

// Links are followed: one that leads nowhere does not exist.

package func fileExists(_ path: String) -> Bool { mode(path) != nil }

package func isFolder(_ path: String) -> Bool { mode(path).map { $0 & S_IFMT == S_IFDIR } ?? false }

package func isRegularFile(_ path: String) -> Bool { mode(path).map { $0 & S_IFMT == S_IFREG } ?? false }

private func mode(_ path: String) -> mode_t? {
  var information = stat()
  return stat(path, &information) == 0 ? information.st_mode : nil
}
