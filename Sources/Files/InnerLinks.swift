import Foundation

/// Refuses links in a folder that lead out of it: a folder that comes from somewhere else could make us read or write any
/// file of ours.
/// - Parameters:
///   - path: the folder, which may itself be a link.
///   - subfolders: those of it to look into; they need not be there.
/// - Throws: `FileError`, also for a link that leads nowhere, where a file would be made.
public func requireInnerLinks(in path: String, subfolders: [String]) throws(FileError) {
  guard let root = resolvedPath(path) else { return }
  for folder in [path] + subfolders.map({ "\(path)/\($0)" }) {
    var information = stat()
    guard stat(folder, &information) == 0, information.st_mode & S_IFMT == S_IFDIR else { continue }
    for name in try namesInFolder(folder) {
      let file = "\(folder)/\(name)"
      guard lstat(file, &information) == 0, information.st_mode & S_IFMT == S_IFLNK else { continue }
      if let target = resolvedPath(file), target.hasPrefix(root + "/") { continue }
      throw FileError(
        "\(file) is a link that leads out of \(path), which is not followed; remove it, or put the file there")
    }
  }
}

/// Without links; nil if nothing is there.
private func resolvedPath(_ path: String) -> String? {
  guard let resolved = realpath(path, nil) else { return nil }
  defer { free(resolved) }
  return String(cString: resolved)
}
