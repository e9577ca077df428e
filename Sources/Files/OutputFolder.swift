import CFileSpace
import FoundationEssentials
import Glibc

/// A folder that a command writes: it appears completely or not at all. It is filled under a temporary name in the same
/// parent folder, flushed to the disk and renamed. A link is followed: its target is replaced, and the link stays.
package struct OutputFolder: Sendable, Equatable {
  /// Which non-empty folders may be replaced.
  package struct Replacement: Sendable, Equatable {
    /// A file that identifies them.
    package var mark: String
    /// Their contents, in the words of a message.
    package var contents: String
    /// Whether the user has allowed replacing them.
    package var isWanted: Bool

    package init(of contents: String, knownBy mark: String, isWanted: Bool) {
      self.mark = mark
      self.contents = contents
      self.isWanted = isWanted
    }
  }

  /// The path given by the user.
  package let path: String
  /// The location while it is filled.
  package let temporaryPath: String
  private let target: String
  private let replaces: Bool

  /// Checks early whether the folder can be created.
  /// - Parameter replacement: nil: only an empty folder may be replaced.
  /// - Throws: `FileError`.
  package init(_ path: String, replacing replacement: Replacement? = nil) throws(FileError) {
    self.path = withoutTrailingSlashes(path)
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw FileError("cannot write \"\(path.filter { $0 != "\0" })\": it is not a valid folder name")
    }
    target = try followLinks(self.path)
    replaces = replacement?.isWanted ?? false
    let parent = parentFolder(of: target)
    temporaryPath = Files.temporaryPath(for: target)
    var information = stat()
    if stat(target, &information) == 0 {
      guard information.st_mode & S_IFMT == S_IFDIR else {
        throw FileError("\(self.path) is \(nameOfSpecialFile(information) ?? "a file"); choose a folder")
      }
      try check(replacement)
    }
    try makeFolder(at: parent)
    guard access(parent, W_OK | X_OK) == 0 else { throw FileError(cannot: "write \(self.path): the folder", parent) }
  }

  private func check(_ replacement: Replacement?) throws(FileError) {
    guard try !namesInFolder(target).isEmpty else { return }
    guard let replacement else {
      throw FileError("\(path) is not empty; choose a new or an empty folder")
    }
    guard replacement.isWanted else {
      throw FileError("\(path) is not empty; use --force to replace \(replacement.contents), or choose another folder")
    }
    guard access("\(target)/\(replacement.mark)", F_OK) == 0 else {
      throw FileError(
        "\(path) does not contain \(replacement.contents) (it has no \(replacement.mark)), so --force does not "
          + "replace it; choose another folder")
    }
  }

  /// Creates the temporary folder, empty. The caller then fills it and calls `publish` or `discard`.
  package func prepare() throws(FileError) {
    discard()
    guard mkdir(temporaryPath, 0o777) == 0 else { throw FileError(cannot: "create the folder", temporaryPath) }
  }

  /// Flushes everything that this machine has written into a folder to the disk.
  package static func synchronise(_ path: String) throws(FileError) {
    let descriptor = try openDescriptor(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { close(descriptor) }
    let status = ddpm_synchronise_file_system(descriptor)
    guard status == 0 else {
      throw FileError(cannot: "write", path, reason: String(cString: strerror(status)), kind: .other)
    }
  }

  /// Moves the temporary folder to its final name.
  package func publish() throws(FileError) {
    try Self.synchronise(temporaryPath)
    // Renaming replaces an empty folder.
    if rename(temporaryPath, target) == 0 { return }
    guard replaces, errno == ENOTEMPTY || errno == EEXIST else {
      throw FileError(cannot: "rename \(temporaryPath) to", target)
    }
    let replaced = temporaryPath + ".replaced"
    guard rename(target, replaced) == 0 else { throw FileError(cannot: "move \(target) to", replaced) }
    guard rename(temporaryPath, target) == 0 else {
      let error = FileError(cannot: "rename \(temporaryPath) to", target)
      rename(replaced, target)
      throw error
    }
    try? FileManager.default.removeItem(atPath: replaced)
  }

  /// Removes the temporary folder.
  package func discard() { try? FileManager.default.removeItem(atPath: temporaryPath) }

  /// Writes files, by their path in the folder, and publishes it.
  package func write(_ files: [(path: String, contents: Data)]) throws(FileError) {
    do throws(FileError) {
      try prepare()
      for file in files {
        let path = "\(temporaryPath)/\(file.path)"
        try makeFolder(at: parentFolder(of: path))
        try replaceFile(at: path, with: file.contents)
      }
      try publish()
    } catch {
      discard()
      throw error
    }
  }
}
