import CFileSpace
import Foundation

/// A folder that a command writes: it appears whole or not at all. It is filled under a temporary name in the same
/// folder, brought to the disk and renamed. A link is followed: what it leads to is replaced, and the link stays.
public struct OutputFolder: Sendable, Equatable {
  /// Which folders may be replaced that are not empty.
  public struct Replacement: Sendable, Equatable {
    /// A file by which they are known.
    public var mark: String
    /// What they hold, as a message says it.
    public var contents: String
    /// Whether the user wants them replaced.
    public var isWanted: Bool

    public init(of contents: String, knownBy mark: String, isWanted: Bool) {
      self.mark = mark
      self.contents = contents
      self.isWanted = isWanted
    }
  }

  /// As the user named it.
  public let path: String
  /// Where it is filled until it is whole.
  public let temporaryPath: String
  private let target: String
  private let replaces: Bool

  /// Finds out early whether the folder can be made.
  /// - Parameter replacement: nil: an empty folder may be replaced and no other.
  /// - Throws: `FileError`.
  public init(_ path: String, replacing replacement: Replacement? = nil) throws(FileError) {
    self.path = withoutTrailingSlashes(path)
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw FileError("cannot write \"\(path.filter { $0 != "\0" })\": it is no folder's name")
    }
    target = try followLinks(self.path)
    replaces = replacement?.isWanted ?? false
    let name = lastPart(ofPath: target)
    let parent = parentFolder(of: target)
    temporaryPath = Files.path(
      of: ".\(String(decoding: name.utf8.prefix(200), as: UTF8.self)).\(getpid()).partial", in: parent)
    var information = stat()
    if stat(target, &information) == 0 {
      guard information.st_mode & S_IFMT == S_IFDIR else {
        throw FileError("\(self.path) is \(nameOfSpecialFile(information) ?? "a file"); name a folder to write")
      }
      try check(replacement)
    }
    try makeFolder(at: parent)
    guard access(parent, W_OK | X_OK) == 0 else { throw FileError(cannot: "write \(self.path): the folder", parent) }
  }

  private func check(_ replacement: Replacement?) throws(FileError) {
    guard try !namesInFolder(target).isEmpty else { return }
    guard let replacement else {
      throw FileError("\(path) is not empty; name a folder to be made, or an empty one")
    }
    guard replacement.isWanted else {
      throw FileError("\(path) is not empty; give --force to replace \(replacement.contents), or name another folder")
    }
    guard access("\(target)/\(replacement.mark)", F_OK) == 0 else {
      throw FileError(
        "\(path) holds something else than \(replacement.contents) (it has no \(replacement.mark)), which --force does "
          + "not replace; name another folder")
    }
  }

  /// Makes the temporary folder, empty. Then fill it, and call `publish` or `discard`.
  public func prepare() throws(FileError) {
    discard()
    guard mkdir(temporaryPath, 0o777) == 0 else { throw FileError(cannot: "create the folder", temporaryPath) }
  }

  /// Brings to the disk what this machine has written into a folder.
  public static func synchronise(_ path: String) throws(FileError) {
    let descriptor = try openDescriptor(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { close(descriptor) }
    let status = ddpm_synchronise_file_system(descriptor)
    guard status == 0 else {
      throw FileError(cannot: "write", path, reason: String(cString: strerror(status)), kind: .other)
    }
  }

  /// Gives the temporary folder its name.
  public func publish() throws(FileError) {
    try Self.synchronise(temporaryPath)
    // An empty folder gives way to another by itself.
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
  public func discard() { try? FileManager.default.removeItem(atPath: temporaryPath) }

  /// Writes files, by their place in the folder, and publishes it.
  public func write(_ files: [(path: String, contents: Data)]) throws(FileError) {
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
