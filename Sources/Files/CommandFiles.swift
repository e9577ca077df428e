import Foundation

/// A file or folder as the command line names it: which option, and the path.
public struct NamedFile: Sendable, Equatable {
  public let option: String
  public let path: String

  public init(_ option: String, _ path: String) {
    self.option = option
    self.path = path
  }

  /// What an option names, if it was given.
  public static func list(_ files: (option: String, path: String?)...) -> [NamedFile] {
    files.compactMap { file in file.path.map { NamedFile(file.option, $0) } }
  }
}

/// What a command reads and writes. Checked before its work begins, so that nothing is computed in vain and nothing that
/// it reads is lost.
public struct CommandFiles: Sendable, Equatable {
  /// Files, and folders with all that is in them.
  public var inputs: [NamedFile]
  public var outputs: [NamedFile]
  /// Folders that are made as a whole.
  public var outputFolders: [NamedFile]

  public init(inputs: [NamedFile] = [], outputs: [NamedFile] = [], outputFolders: [NamedFile] = []) {
    self.inputs = inputs
    self.outputs = outputs
    self.outputFolders = outputFolders
  }

  /// A command that writes no files.
  public static let none = CommandFiles()

  /// Checks that the outputs can be written and replace no input and not each other.
  /// - Throws: `FileError`, with the options.
  public func check() throws(FileError) {
    for output in outputs { _ = try OutputFile(output.path) }
    try checkApart(outputs: outputs + outputFolders, inputs: inputs)
  }
}

/// Checks that no output of a command is one of its inputs or another of its outputs, by whatever names and links: that
/// it replaces no file in a folder that is read, and no folder with what is read in it. Inputs that are not there count
/// for nothing.
/// - Throws: `FileError`, with both options.
public func checkApart(outputs: [NamedFile], inputs: [NamedFile]) throws(FileError) {
  let locations = try outputs.map { output throws(FileError) in try FileLocation(output.path) }
  let inputs = inputs.compactMap { input in (try? FileLocation(input.path)).map { (file: input, location: $0) } }
  for (index, output) in outputs.enumerated() {
    for earlier in 0..<index {
      if locations[earlier].identity == locations[index].identity {
        throw FileError("\(output.option) \(output.path) and \(outputs[earlier].option) are the same file; name two")
      }
      for (inner, outer) in [(index, earlier), (earlier, index)] where locations[inner].isInside(locations[outer]) {
        throw FileError(
          "\(outputs[inner].option) \(outputs[inner].path) is in \(outputs[outer].option) \(outputs[outer].path); "
            + "name another file")
      }
    }
    for input in inputs where input.location.exists && locations[index].replaces(input.location) {
      throw FileError(
        "\(output.option) \(output.path) would replace "
          + (input.location.isInside(locations[index]) || input.location.identity == locations[index].identity
            ? "" : "a file of ")
          + "\(input.file.option) \(input.file.path), which is read; name another file")
    }
  }
}

/// Where a file or folder is, or will be: tells it apart whatever it is called.
private struct FileLocation {
  /// Where it lies on the disk or, if it is still to come, its folder there and its name.
  struct Identity: Equatable {
    let device: dev_t
    let inode: ino_t
    /// Empty for what is there.
    let name: String

    init(_ information: stat, name: String = "") {
      device = information.st_dev
      inode = information.st_ino
      self.name = name
    }
  }

  let identity: Identity
  let exists: Bool
  /// The folders that it is in, up to the root.
  private let folders: [Identity]

  init(_ path: String) throws(FileError) {
    let target = try followLinks(withoutTrailingSlashes(path))
    var information = stat()
    exists = stat(target, &information) == 0
    let found = information
    let isFolder = exists && information.st_mode & S_IFMT == S_IFDIR
    var parent = isFolder ? target + "/.." : parentFolder(of: target)
    var name = lastPart(ofPath: target)
    // Folders on the way may still have to be made.
    while stat(parent, &information) != 0 {
      guard errno == ENOENT, !path.isEmpty, parent != ".", parent != "/" else { throw FileError(cannot: "write", path) }
      name = "\(lastPart(ofPath: parent))/\(name)"
      parent = parentFolder(of: parent)
    }
    identity = exists ? Identity(found) : Identity(information, name: name)
    // By the system's own way up, which no link leads astray.
    var folders = [Identity(information)]
    var location = parent
    while folders.count < 1024 {
      location += "/.."
      guard stat(location, &information) == 0 else { break }
      let above = Identity(information)
      if above == folders[folders.count - 1] { break }
      folders.append(above)
    }
    self.folders = folders
  }

  func isInside(_ other: FileLocation) -> Bool { other.exists && folders.contains(other.identity) }

  /// Whether something would be lost of `other` if this were written.
  func replaces(_ other: FileLocation) -> Bool {
    identity == other.identity || (exists && isInside(other)) || other.isInside(self)
  }
}
