import Glibc
import Images
import Tensors

/// The image files of a folder, by name: those of each subfolder are a class. Without subfolders there are no classes.
///
/// Classes and files are in the order of their names' bytes. Inside a class's folder further folders count as parts of
/// it. A folder that has the two subfolders `train` and `test` has training and test images apart. What begins with a dot
/// is not seen; neither are files whose names do not end in `.png`, `.jpg` or `.jpeg`, unless they must be images.
public struct ImageFolder: Sendable, Equatable {
  public struct File: Sendable, Equatable {
    public let path: String
    /// In bytes.
    public let size: Int
    /// A place in `classNames`.
    public let label: Int?
  }

  public let path: String
  /// What the folder is called, or the one that has its training and test images apart.
  public private(set) var name: String
  public let classNames: [String]
  public private(set) var files: [File]

  /// Whether a folder has the subfolders `train` and `test`.
  public static func hasSplits(_ path: String) -> Bool { isFolder("\(path)/train") && isFolder("\(path)/test") }

  /// Lists the training or test images of a folder.
  /// - Throws: `DatasetError`.
  public init(_ path: String, split: DatasetSplit) throws {
    guard Self.hasSplits(path) else {
      if split == .test {
        throw DatasetError(
          .missing, path, "it has no test images, which would be in its subfolder test, beside train",
          advice: "make these two, or take the training images where there is a choice")
      }
      try self.init(path, classNames: nil)
      return
    }
    let training = try ImageFolder("\(path)/train", classNames: nil)
    self = split == .training ? training : try ImageFolder("\(path)/test", classNames: training.classNames)
    name = Self.lastPart(path)
  }

  /// Lists the images of a folder.
  /// - Parameter known: the classes that there must be, if others have decided on them; there may be none of some.
  /// - Throws: `DatasetError`.
  public init(_ path: String, classNames known: [String]?) throws {
    let (subfolders, files) = try Self.entries(path)
    let images = try files.filter { try Self.isImage($0) }
    let classes = known ?? subfolders.map(Self.lastPart)
    self.path = path
    name = Self.lastPart(path)
    classNames = classes
    if subfolders.isEmpty {
      self.files = try images.map { try Self.file($0, label: nil) }
    } else {
      if let first = images.first {
        throw DatasetError(
          .wrongLayout, first, "lies beside subfolders, which are classes",
          advice: "put every image into the folder of its class, or all images into one folder without subfolders")
      }
      var all: [File] = []
      for subfolder in subfolders {
        guard let label = classes.firstIndex(of: Self.lastPart(subfolder)) else {
          throw DatasetError(
            .wrongLabel, subfolder, "the training images have no class of this name",
            advice: "the classes are \(classes.isEmpty ? "none" : classes.joined(separator: ", "))")
        }
        let count = all.count
        try Self.collect(subfolder, label: label, into: &all)
        if all.count == count && known == nil {
          throw DatasetError(
            .missing, subfolder, "there are no PNG or JPEG files in it, but a subfolder is a class",
            advice: "remove the folder, or put images there")
        }
      }
      self.files = all
    }
    guard !self.files.isEmpty else {
      throw DatasetError(
        .missing, path, "there are no PNG or JPEG files in it", advice: "name the folder of the images")
    }
    guard classes.isEmpty == subfolders.isEmpty else {
      throw DatasetError(
        .wrongLayout, path, "its images have no classes, but the training images have",
        advice: "put them into subfolders of the classes' names")
    }
  }

  /// The same without some of its files.
  public func leavingOut(_ paths: Set<String>) -> ImageFolder {
    var result = self
    result.files.removeAll { paths.contains($0.path) }
    return result
  }

  /// What each file says of its size and colours.
  public func headers(workers: WorkerPool = .callingThread) -> [Result<ImageHeader, DatasetError>] {
    var headers = [Result<ImageHeader, DatasetError>?](repeating: nil, count: files.count)
    headers.withUnsafeMutableBufferPointer { buffer in
      let results = SharedPlaces(buffer)
      workers.forEach(files.count) { index in
        let path = files[index].path
        results[index] = Result { () throws(ImageError) in try Image.header(of: path) }.mapError(DatasetError.init)
      }
    }
    return headers.map { $0! }
  }

  // MARK: Listing

  private static func collect(_ folder: String, label: Int, into all: inout [File]) throws {
    let (subfolders, files) = try entries(folder)
    for path in files where try isImage(path) { all.append(try file(path, label: label)) }
    for subfolder in subfolders { try collect(subfolder, label: label, into: &all) }
  }

  private static func isImage(_ path: String) throws -> Bool {
    let name = lastPart(path)
    guard let dot = name.lastIndex(of: ".") else { return false }
    switch name[name.index(after: dot)...].lowercased() {
    case "png", "jpg", "jpeg": return true
    case "webp", "bmp", "gif", "tif", "tiff", "heic", "avif", "jp2", "ppm", "pgm":
      throw DatasetError(
        .wrongLayout, path, "images of this format are not read", advice: "turn it into PNG or JPEG, or move it away")
    default: return false
    }
  }

  private static func file(_ path: String, label: Int?) throws -> File {
    var information = stat()
    guard stat(path, &information) == 0 else { throw unreadable(path) }
    return File(path: path, size: Int(information.st_size), label: label)
  }

  /// The paths of the folders and other entries in a folder, each in the order of their names' bytes.
  private static func entries(_ path: String) throws -> (folders: [String], files: [String]) {
    guard let directory = opendir(path) else { throw unreadable(path) }
    defer { closedir(directory) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(directory) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      guard let name = String(validating: bytes, as: UTF8.self) else {
        throw DatasetError(
          .unreadable, "\(path)/\(String(decoding: bytes, as: UTF8.self))", "its name is not UTF-8",
          advice: "rename it")
      }
      if !name.hasPrefix(".") { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw unreadable(path) }
    names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let paths = names.map { "\(path)/\($0)" }
    var isFolder: [Bool] = []
    for path in paths {
      var information = stat()
      guard stat(path, &information) == 0 else { throw unreadable(path) }
      isFolder.append(information.st_mode & S_IFMT == S_IFDIR)
    }
    return (
      zip(paths, isFolder).filter(\.1).map(\.0),
      zip(paths, isFolder).filter { !$0.1 }.map(\.0)
    )
  }

  private static func isFolder(_ path: String) -> Bool {
    var information = stat()
    return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
  }

  private static func lastPart(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

  private static func unreadable(_ path: String) -> DatasetError {
    let reason = errno
    return DatasetError(
      reason == ENOENT ? .missing : .unreadable, path, "cannot be opened: \(String(cString: strerror(reason)))",
      advice: "check the path and who may read it")
  }
}

/// Places of an array that several threads write, each its own.
private struct SharedPlaces<Element>: @unchecked Sendable {
  let buffer: UnsafeMutableBufferPointer<Element>

  init(_ buffer: UnsafeMutableBufferPointer<Element>) { self.buffer = buffer }

  subscript(index: Int) -> Element {
    get { buffer[index] }
    nonmutating set { buffer[index] = newValue }
  }
}

extension DatasetError {
  init(_ error: ImageError) {
    self.init(
      .damaged, error.path, "cannot be read as an image: \(error.message)", advice: "replace or remove the file")
  }
}
