import Files
import Foundation
import Jobs

/// A folder of files that is there as a whole or not at all: it is written under a temporary name and then renamed.
struct NewFolder {
  let path: String
  private let replaces: Bool

  private var temporary: String { beside("partial") }
  private var replaced: String { beside("replaced") }

  /// Finds out early whether the folder can be made.
  /// - Parameter mark: a file by which a folder is known that may be replaced; nil: only an empty one.
  /// - Throws: `FileError`, `InputError`.
  init(_ path: String, replacing mark: String?) throws {
    self.path = withoutTrailingSlashes(path)
    replaces = mark != nil
    let manager = FileManager.default
    var isFolder: ObjCBool = false
    if manager.fileExists(atPath: self.path, isDirectory: &isFolder) {
      guard isFolder.boolValue else { throw InputError("\(self.path) is a file; name a folder to write") }
      let isEmpty = (try? manager.contentsOfDirectory(atPath: self.path).isEmpty) ?? false
      if let mark, !isEmpty, !manager.fileExists(atPath: "\(self.path)/\(mark)") {
        throw InputError(
          "\(self.path) holds something else than a pipeline (it has no \(mark)), which --force does not replace; name "
            + "another folder")
      }
      guard isEmpty || replaces else {
        throw InputError("\(self.path) is not empty; give --force to replace a pipeline, or name another folder")
      }
    }
    let parent = folderPath(of: self.path)
    try makeFolder(at: parent)
    guard access(parent, W_OK | X_OK) == 0 else { throw FileError(cannot: "write \(self.path): the folder", parent) }
  }

  /// Writes all files, flushes them to the disk, and renames the folder into place.
  func write(_ files: [(place: String, contents: Data)]) throws {
    let manager = FileManager.default
    try? manager.removeItem(atPath: temporary)
    do {
      try makeFolder(at: temporary)
      for file in files {
        let target = "\(temporary)/\(file.place)"
        try makeFolder(at: folderPath(of: target))
        try replaceFile(at: target, with: file.contents)
      }
      try publish()
    } catch {
      try? manager.removeItem(atPath: temporary)
      throw error
    }
  }

  private func publish() throws(FileError) {
    // An empty folder gives way to another by itself.
    if rename(temporary, path) == 0 { return }
    guard replaces, errno == ENOTEMPTY || errno == EEXIST else {
      throw FileError(cannot: "rename \(temporary) to", path)
    }
    try? FileManager.default.removeItem(atPath: replaced)
    guard rename(path, replaced) == 0 else { throw FileError(cannot: "move \(path) to", replaced) }
    guard rename(temporary, path) == 0 else {
      let error = FileError(cannot: "rename \(temporary) to", path)
      rename(replaced, path)
      throw error
    }
    try? FileManager.default.removeItem(atPath: replaced)
  }

  private func beside(_ ending: String) -> String {
    let url = URL(fileURLWithPath: path)
    return url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).\(ending)").path
  }
}
