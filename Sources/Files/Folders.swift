import FoundationEssentials
import Glibc

/// The folder that a file is in.
package func folderPath(of path: String) -> String { standardisedPath(parentFolder(of: path)) }

/// Resolves `.` and `..`.
package func standardisedPath(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

/// Creates the folder at `path` and any missing parents.
/// - Returns: the folders that were created, the outermost first.
@discardableResult
package func makeFolder(at path: String) throws(FileError) -> [String] {
  var information = stat()
  if stat(path, &information) == 0 {
    guard information.st_mode & S_IFMT == S_IFDIR else {
      throw FileError("cannot create the folder \(path): a file is in its place")
    }
    return []
  }
  let parent = parentFolder(of: path)
  let above = parent == "." || parent == path ? [] : try makeFolder(at: parent)
  if mkdir(path, 0o777) == 0 { return above + [path] }
  guard errno == EEXIST else {
    let error = FileError(cannot: "create the folder", path)
    removeEmptyFolders(above)
    throw error
  }
  return above
}

/// Removes folders that `makeFolder` created, if they are empty.
package func removeEmptyFolders(_ paths: [String]) {
  for path in paths.reversed() { rmdir(path) }
}

/// The names of a folder's entries, in no particular order, without `.` and `..`.
/// - Throws: `FileError`, `missing` if there is no folder.
package func namesInFolder(_ path: String) throws(FileError) -> [String] {
  guard let folder = opendir(path) else { throw FileError(cannot: "list", path) }
  defer { closedir(folder) }
  var names: [String] = []
  while let entry = readdir(folder) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) { String(cString: $0) }
    }
    if name != "." && name != ".." { names.append(name) }
  }
  return names
}

/// The end of a chain of links, whether or not the file exists.
func followLinks(_ path: String) throws(FileError) -> String {
  var path = path
  // The maximum number that Linux follows.
  for _ in 0..<40 {
    guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { return path }
    path = next.hasPrefix("/") ? next : Files.path(of: next, in: parentFolder(of: path))
  }
  throw FileError(cannot: "write", path, reason: "its links form a cycle or are too many", kind: .other)
}
