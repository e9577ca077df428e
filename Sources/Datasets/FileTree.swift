import Files
import Glibc
import Interchange

/// The contents of a folder or a ZIP archive, as far as names tell: images, subfolders, and other files.
///
/// Everything is sorted by the bytes of the names. Names that start with a dot are ignored.
struct FileTree: Sendable {
  typealias File = ImageFolder.File

  let path: String
  /// The archive that contains everything, if it is one.
  private(set) var archive: ZipFile?
  private(set) var folders: [FileTree] = []
  /// PNG and JPEG files, according to their names.
  private(set) var images: [File] = []
  /// Entries that cannot be used although they should be images or folders of images; each names one file.
  private(set) var problems: [DatasetError] = []
  /// Folders created by operating systems for their own purposes.
  private(set) var systemFolders: [String] = []
  /// Files that are not images, such as notes and lists.
  private(set) var otherFiles: [File] = []

  var name: String { lastPart(ofPath: path) }

  /// Lists a folder and everything below it, or the contents of an archive.
  /// - Throws: `DatasetError` if the folder or archive itself cannot be listed.
  init(_ path: String) throws(DatasetError) {
    guard isRegularFile(path) else {
      try self.init(path, inside: [])
      return
    }
    guard firstBytes(of: path).starts(with: Array("PK".utf8)) else {
      throw DatasetError(
        .wrongLayout, path, "is neither a folder nor a ZIP archive", advice: "give the folder of the images")
    }
    let archive: ZipFile
    do { archive = try ZipFile(path) } catch { throw DatasetError(error) }
    self.init(path, in: archive)
    for member in archive.members.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
      insert(member, below: member.name.split(separator: "/")[...])
    }
    sortFolders()
  }

  private init(_ path: String, inside ancestors: [FileIdentity]) throws(DatasetError) {
    self.path = path
    var information = stat()
    guard stat(path, &information) == 0 else { throw cannotOpen(path) }
    let ancestors = ancestors + [FileIdentity(information)]
    for name in try Self.names(in: path) {
      guard let text = String(validating: name, as: UTF8.self) else {
        reject("\(path)/\(String(decoding: name, as: UTF8.self))", "its name is not UTF-8", advice: "rename it")
        continue
      }
      if !text.hasPrefix(".") { add("\(path)/\(text)", inside: ancestors) }
    }
  }

  private mutating func add(_ path: String, inside ancestors: [FileIdentity]) {
    var information = stat()
    guard stat(path, &information) == 0 else {
      let reason = String(cString: strerror(errno))
      reject(path, "cannot be opened: \(reason)", advice: "check its target and permissions, or remove it")
      return
    }
    let name = lastPart(ofPath: path)
    switch information.st_mode & S_IFMT {
    case S_IFDIR where systemFolderNames.contains(name.lowercased()): systemFolders.append(path)
    case S_IFDIR where ancestors.contains(FileIdentity(information)):
      reject(path, "is a link to a folder that contains it", .wrongLayout, advice: "remove it")
    case S_IFDIR:
      do throws(DatasetError) { folders.append(try FileTree(path, inside: ancestors)) } catch { problems.append(error) }
    case S_IFREG: addFile(File(path: path, size: Int(information.st_size)))
    default: reject(path, "is neither a file nor a folder", advice: "remove it")
    }
  }

  /// Notes an entry that cannot be used.
  /// - Parameter advice: what to do apart from skipping it.
  private mutating func reject(
    _ path: String, _ problem: String, _ kind: DatasetError.Kind = .unreadable, advice: String
  ) {
    problems.append(DatasetError(kind, path, problem, advice: "\(advice), \(DatasetError.orSkip)"))
  }

  // MARK: Archives

  private init(_ path: String, in archive: ZipFile) {
    self.path = path
    self.archive = archive
  }

  /// Members are sorted by name, so those of one folder are consecutive.
  private mutating func insert(_ member: ZipFile.Member, below parts: ArraySlice<Substring>) {
    guard let name = parts.first, !name.hasPrefix(".") else { return }
    let path = "\(self.path)/\(name)"
    if parts.count == 1 && !member.name.hasSuffix("/") {
      addFile(File(path: path, size: member.size, member: member))
    } else if systemFolderNames.contains(name.lowercased()) {
      if systemFolders.last != path { systemFolders.append(path) }
    } else if parts.count > Self.depthLimit {
      problems.append(
        DatasetError(.wrongLayout, path, "is in too many folders", advice: "unpack the archive and give its folder"))
    } else if let archive {
      // Different Unicode spellings of a letter are different names.
      if folders.last?.path.utf8.elementsEqual(path.utf8) != true { folders.append(FileTree(path, in: archive)) }
      folders[folders.count - 1].insert(member, below: parts.dropFirst())
    }
  }

  /// More nested folders than are plausible.
  private static let depthLimit = 64

  private mutating func sortFolders() {
    folders.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    for index in folders.indices { folders[index].sortFolders() }
  }

  private mutating func addFile(_ file: File) {
    if ImageFolder.hasNameOfImage(file.path) {
      images.append(file)
    } else if endingsOfOtherImages.contains(fileEnding(of: file.path)) {
      reject(
        file.path, "this image format is not supported", .wrongLayout,
        advice: "convert it to PNG or JPEG, or move it away")
    } else {
      otherFiles.append(file)
    }
  }

  /// The names in a folder, sorted, with their bytes as on the disk.
  private static func names(in path: String) throws(DatasetError) -> [[UInt8]] {
    guard let directory = opendir(path) else { throw cannotOpen(path) }
    defer { closedir(directory) }
    var names: [[UInt8]] = []
    errno = 0
    while let entry = readdir(directory) {
      names.append(withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) })
      errno = 0
    }
    guard errno == 0 else { throw cannotOpen(path) }
    return names.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The labels in this folder's `dataset.json`, if it has any.
  func datasetLabels() throws(DatasetError) -> DatasetJSON? {
    guard let file = otherFiles.first(where: { lastPart(ofPath: $0.path) == DatasetJSON.fileName }) else {
      return nil
    }
    let bytes: [UInt8]
    if let archive, let member = file.member {
      do { bytes = try archive.read(member) } catch { throw DatasetError(error) }
    } else {
      bytes = try readFile(file.path)
    }
    return try DatasetJSON(bytes, path: file.path)
  }

  // MARK: All that is below

  /// This folder and all below it.
  private var all: [FileTree] { [self] + folders.flatMap(\.all) }

  /// The images here and in subfolders, starting with those here.
  var allImages: [File] { all.flatMap(\.images) }
  var allProblems: [DatasetError] { all.flatMap(\.problems) }
  var allSystemFolders: [String] { all.flatMap(\.systemFolders) }
  var allOtherFiles: [File] { all.flatMap(\.otherFiles) }
  /// Whether there are images here or in subfolders, or entries that should be images.
  var holdsImages: Bool { all.contains { !$0.images.isEmpty || !$0.problems.isEmpty } }
}

/// Files with the same identity are the same, whatever links lead to them.
private struct FileIdentity: Equatable {
  let device: dev_t
  let number: ino_t

  init(_ information: stat) { (device, number) = (information.st_dev, information.st_ino) }
}

private let endingsOfOtherImages: Set = [
  "webp", "bmp", "dib", "gif", "tif", "tiff", "heic", "heif", "avif", "jp2", "j2k", "jxl", "ppm", "pgm", "pbm", "pnm",
  "tga", "ico", "psd", "exr", "hdr", "dcm", "svg", "cr2", "nef", "arw", "dng",
]

/// In lower case. From macOS, Synology, Windows, Linux and Python.
private let systemFolderNames: Set = [
  "__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found", "__pycache__",
]

/// In lower case, without the dot; empty if there is none.
func fileEnding(of path: String) -> String {
  let name = lastPart(ofPath: path)
  guard let dot = name.lastIndex(of: ".") else { return "" }
  return name[name.index(after: dot)...].lowercased()
}

extension DatasetError {
  /// The alternative for problems of single images.
  static let orSkip = "or skip all such images with `ddpm-mpi pack … --skip-damaged`"
}

/// The failure of the system call just made.
private func cannotOpen(_ path: String) -> DatasetError { DatasetError(FileError(cannot: "open", path), path) }
