import Glibc

/// A file or folder named on the command line: the option and the path.
package struct NamedFile: Sendable, Equatable {
  package let option: String
  package let path: String

  package init(_ option: String, _ path: String) {
    self.option = option
    self.path = path
  }

  /// The files of the options that were given.
  package static func list(_ files: (option: String, path: String?)...) -> [NamedFile] {
    files.compactMap { file in file.path.map { NamedFile(file.option, $0) } }
  }
}

/// The files that a command reads and writes. They are checked before its work starts, so that nothing is computed in
/// vain and no input is overwritten.
package struct CommandFiles: Sendable, Equatable {
  /// Files, and folders with all their contents.
  package var inputs: [NamedFile]
  package var outputs: [NamedFile]
  /// Folders that are created as a whole.
  package var outputFolders: [NamedFile]

  package init(inputs: [NamedFile] = [], outputs: [NamedFile] = [], outputFolders: [NamedFile] = []) {
    self.inputs = inputs
    self.outputs = outputs
    self.outputFolders = outputFolders
  }

  /// A command that writes no files.
  package static let none = CommandFiles()

  /// Checks that the outputs can be written and replace neither an input nor one another.
  /// - Throws: `FileError`, naming the options.
  package func check() throws(FileError) {
    for output in outputs { _ = try OutputFile(output.path) }
    try checkApart(outputs: outputs + outputFolders, inputs: inputs)
  }
}

/// Checks that no output of a command is one of its inputs or another output, whatever names and links are used: an
/// output must not replace a file in a folder that is read, or a folder that contains an input. Missing inputs are
/// ignored.
/// - Throws: `FileError`, naming both options.
package func checkApart(outputs: [NamedFile], inputs: [NamedFile]) throws(FileError) {
  let locations = try outputs.map { output throws(FileError) in try FileLocation(output.path) }
  let inputs = inputs.compactMap { input in (try? FileLocation(input.path)).map { (file: input, location: $0) } }
  for (index, output) in outputs.enumerated() {
    for earlier in 0..<index {
      if locations[earlier].identity == locations[index].identity {
        throw FileError(
          "\(output.option) \(output.path) and \(outputs[earlier].option) are the same file; choose different files")
      }
      for (inner, outer) in [(index, earlier), (earlier, index)] where locations[inner].isInside(locations[outer]) {
        throw FileError(
          "\(outputs[inner].option) \(outputs[inner].path) is in \(outputs[outer].option) \(outputs[outer].path); "
            + "choose another file")
      }
    }
    for input in inputs where input.location.exists && locations[index].replaces(input.location) {
      throw FileError(
        "\(output.option) \(output.path) would replace "
          + (input.location.isInside(locations[index]) || input.location.identity == locations[index].identity
            ? "" : "a file of ")
          + "\(input.file.option) \(input.file.path), which is read; choose another file")
    }
  }
}

/// The location of a file or folder that may not exist yet. It identifies the file whatever name is used.
private struct FileLocation {
  /// The file's identity on the disk or, if it does not exist yet, its folder's identity and its name.
  struct Identity: Equatable {
    let device: dev_t
    let inode: ino_t
    /// Empty for an existing file.
    let name: String

    init(_ information: stat, name: String = "") {
      device = information.st_dev
      inode = information.st_ino
      self.name = name
    }
  }

  let identity: Identity
  let exists: Bool
  /// The folders that contain it, up to the root.
  private let folders: [Identity]

  init(_ path: String) throws(FileError) {
    let target = try followLinks(withoutTrailingSlashes(path))
    var information = stat()
    exists = stat(target, &information) == 0
    let found = information
    let isFolder = exists && information.st_mode & S_IFMT == S_IFDIR
    var parent = isFolder ? target + "/.." : parentFolder(of: target)
    var name = lastPart(ofPath: target)
    // Folders on the path may not exist yet.
    while stat(parent, &information) != 0 {
      guard errno == ENOENT, !path.isEmpty, parent != ".", parent != "/" else { throw FileError(cannot: "write", path) }
      name = "\(lastPart(ofPath: parent))/\(name)"
      parent = parentFolder(of: parent)
    }
    identity = exists ? Identity(found) : Identity(information, name: name)
    // Through `..`, which no link redirects.
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

  /// Whether writing this would lose part of `other`.
  func replaces(_ other: FileLocation) -> Bool {
    identity == other.identity || (exists && isInside(other)) || other.isInside(self)
  }
}
