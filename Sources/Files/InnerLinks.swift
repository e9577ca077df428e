import Glibc

/// Throws for links in a folder that point outside of it: through them, a folder from an unknown source could make the
/// program read or write any file.
/// - Parameters:
///   - path: the folder, which may be a link itself.
///   - subfolders: the subfolders to check; they need not exist.
/// - Throws: `FileError`, also for a dangling link, through which a file would be created.
package func requireInnerLinks(in path: String, subfolders: [String]) throws(FileError) {
  guard let root = resolvedPath(path) else { return }
  for folder in [path] + subfolders.map({ "\(path)/\($0)" }) {
    var information = stat()
    guard stat(folder, &information) == 0, information.st_mode & S_IFMT == S_IFDIR else { continue }
    for name in try namesInFolder(folder) {
      let file = "\(folder)/\(name)"
      guard lstat(file, &information) == 0, information.st_mode & S_IFMT == S_IFLNK else { continue }
      if let target = resolvedPath(file), target.hasPrefix(root + "/") { continue }
      throw FileError(
        "\(file) is a link that points outside of \(path) and is not followed; remove it, or copy the file there")
    }
  }
}

/// The path with all links resolved; nil if it does not exist.
private func resolvedPath(_ path: String) -> String? {
  guard let resolved = realpath(path, nil) else { return nil }
  defer { free(resolved) }
  return String(cString: resolved)
}
