import Foundation

/// What could not be done with a file or folder, its path and the system's reason.
public struct FileError: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }

  /// The failure of the system call just made: `cannot <action> <path>: <reason>`.
  public init(cannot action: String, _ path: String) {
    let reason = String(cString: strerror(errno))
    self.init("cannot \(action) \(path): \(reason)")
  }
}

/// The bytes of the file at `path`.
public func readBytes(at path: String) throws(FileError) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw FileError(cannot: "open", path) }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { throw FileError(cannot: "read", path) }
    if count == 0 { return bytes }
    bytes += chunk[..<count]
  }
}

/// The text of the UTF-8 file at `path`.
public func readText(at path: String) throws(FileError) -> String {
  guard let text = String(validating: try readBytes(at: path), as: UTF8.self) else {
    throw FileError("cannot read \(path): it is not UTF-8 text")
  }
  return text
}

/// Writes all of `bytes`; true when the system took them.
public func writeAll(_ bytes: some Sequence<UInt8>, to descriptor: Int32) -> Bool {
  let bytes = Array(bytes)
  var written = 0
  while written < bytes.count {
    let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { return false }
    written += count
  }
  return true
}

/// Finds out early whether a file can be written at `path`, which stays as it is.
public func checkWritable(_ path: String) throws(FileError) {
  var isFolder: ObjCBool = false
  if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
    throw FileError("cannot write \(path): it is a folder")
  }
  let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
  guard access(folder, W_OK | X_OK) == 0 else { throw FileError(cannot: "write \(path): the folder", folder) }
  guard access(path, F_OK) != 0 || access(path, W_OK) == 0 else { throw FileError(cannot: "write", path) }
}

/// Replaces the file at `path` as a whole: a crash leaves the old contents or the new.
public func replaceFile(at path: String, with bytes: some Sequence<UInt8>) throws(FileError) {
  let temporary = path + ".partial"
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
  guard descriptor >= 0 else { throw FileError(cannot: "create", temporary) }
  guard writeAll(bytes, to: descriptor), fsync(descriptor) == 0 else {
    let error = FileError(cannot: "write", temporary)
    close(descriptor)
    throw error
  }
  guard close(descriptor) == 0 else { throw FileError(cannot: "write", temporary) }
  guard rename(temporary, path) == 0 else { throw FileError(cannot: "rename \(temporary) to", path) }
}

/// The folder that a file is in.
public func folderPath(of path: String) -> String {
  standardisedPath(URL(fileURLWithPath: path).deletingLastPathComponent().path)
}

/// Without `.` and `..`.
public func standardisedPath(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

/// `runs/a` for `runs/a//`.
public func withoutTrailingSlashes(_ path: String) -> String {
  var path = path
  while path.count > 1, path.hasSuffix("/") { path.removeLast() }
  return path
}

/// Makes the folder at `path` and those above it, where they are missing.
public func makeFolder(at path: String) throws(FileError) {
  var isFolder: ObjCBool = false
  if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
    guard isFolder.boolValue else { throw FileError("cannot create the folder \(path): a file is in its place") }
    return
  }
  let parent = (path as NSString).deletingLastPathComponent
  if !parent.isEmpty && parent != path { try makeFolder(at: parent) }
  guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw FileError(cannot: "create the folder", path) }
}
