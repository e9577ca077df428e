import Files
import Images
import Interchange
import Tensors

/// Image files sorted by the bytes of their names, with or without classes.
package struct ImageFolder: Sendable {
  package struct File: Sendable {
    package let path: String
    /// In bytes.
    package let size: Int
    /// Its entry, if it is in an archive.
    var member: ZipFile.Member?
    /// An index in `classNames`; nil if there are no classes.
    package internal(set) var label: Int?
  }

  package let path: String
  /// The name of the folder, or of the folder that contains its splits.
  package internal(set) var name: String
  package let classNames: [String]
  package private(set) var files: [File]
  /// Entries that should be images but cannot be used, each with the file's name.
  package let problems: [DatasetError]
  /// How splits were used and what was left out, for a summary.
  package internal(set) var remarks: [String] = []
  /// The archive that contains the files, if it is one.
  private let archive: ZipFile?

  /// All images of a folder. Each subfolder is a class, including further folders inside it; without subfolders there
  /// are no classes.
  ///
  /// - Parameters:
  ///   - known: the required classes, if they are already determined; some may have no images.
  ///   - allowsSplitNames: whether a class may have the name of a split.
  /// - Throws: `DatasetError`.
  init(_ tree: FileTree, classNames known: [String]?, allowsSplitNames: Bool = false) throws(DatasetError) {
    path = tree.path
    name = tree.name
    archive = tree.archive
    problems = tree.allProblems
    classNames = known ?? tree.folders.map(\.name)
    if tree.folders.isEmpty {
      files = tree.images
    } else {
      if let first = tree.images.first {
        throw DatasetError(
          .wrongLayout, first.path, "is beside subfolders, which are classes",
          advice: "move every image into the folder of its class, or all images into one folder without subfolders")
      }
      if known == nil { try Self.checkClasses(tree, allowsSplitNames: allowsSplitNames) }
      files = []
      for (index, folder) in tree.folders.enumerated() {
        guard let label = known.map({ Self.index(of: folder.name, in: $0) }) ?? index else {
          throw DatasetError(
            .wrongLabel, folder.path, "the training images have no class of this name",
            advice:
              "the classes are \(ClassNames.list(classNames)); remove the folder, or give that of the training images "
              + "itself")
        }
        for var image in folder.allImages {
          image.label = label
          files.append(image)
        }
      }
    }
    guard !files.isEmpty || !problems.isEmpty else { throw DatasetError(withoutImages: tree) }
    guard classNames.isEmpty == tree.folders.isEmpty else {
      throw DatasetError(
        .wrongLayout, path, "its images have no classes, but the training images do",
        advice: "move them into subfolders with the classes' names")
    }
  }

  /// All images of a folder, sorted by their paths, with classes from a list of labels.
  /// - Throws: `DatasetError` if an image has no class.
  init(_ tree: FileTree, _ labels: DatasetJSON) throws(DatasetError) {
    path = tree.path
    name = tree.name
    archive = tree.archive
    problems = tree.allProblems
    classNames = labels.classNames
    files = []
    for var image in tree.allImages {
      let name = image.path.utf8.dropFirst(tree.path.utf8.count + 1)
      let label = labels.labels.map { $0[Array(name)] }
      guard label != .some(nil) else {
        throw DatasetError(
          .countMismatch, image.path, "\(DatasetJSON.fileName) has no label for it",
          advice: "remove the image, or add its label; without \(DatasetJSON.fileName), subfolders are classes")
      }
      image.label = label ?? nil
      files.append(image)
    }
    files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    guard !files.isEmpty || !problems.isEmpty else { throw DatasetError(withoutImages: tree) }
  }

  /// Names with different bytes are different classes, even if they look alike ("é" has two spellings). A name that
  /// occurs only in its other spelling is matched with that.
  private static func index(of name: String, in names: [String]) -> Int? {
    names.firstIndex { $0.utf8.elementsEqual(name.utf8) } ?? names.firstIndex(of: name)
  }

  /// Rejects subfolders that are unlikely to be classes.
  private static func checkClasses(_ tree: FileTree, allowsSplitNames: Bool) throws(DatasetError) {
    for folder in tree.folders {
      guard folder.holdsImages else {
        if let format = folder.allOtherFiles.lazy.compactMap({ UnsupportedFormat.named($0.path) }).first {
          throw DatasetError(format, folder.path)
        }
        throw DatasetError(
          .missing, folder.path, "it contains no PNG or JPEG files, but every subfolder is a class",
          advice: "remove the folder, or add images")
      }
      let isSplit = SplitRole(folder.name) != nil
      let hasSplits = SplitRole.roles(of: folder.folders.map(\.name))?.contains(.training) ?? false
      let isCompanion = tree.folders.count > 1 && companionNames.contains(folder.name.lowercased())
      if !allowsSplitNames, isSplit || hasSplits || isCompanion {
        let problem =
          isSplit ? "has the name of a split" : hasSplits ? "contains splits" : "has a name for masks or labels"
        let remedy =
          hasSplits && tree.folders.count == 1
          ? "use it by itself" : hasSplits ? "put splits above classes, in folders train and test" : "move it away"
        throw DatasetError(
          .wrongLayout, folder.path, "would be a class, but \(problem)",
          advice: "\(remedy), or if it is a class, use `ddpm-mpi pack \(tree.path) --no-splits`")
      }
    }
    if tree.folders.count == 1, case let only = tree.folders[0], only.images.isEmpty, only.folders.count > 1 {
      throw DatasetError(
        .wrongLayout, only.path, "would be the only class, but contains only folders",
        advice: "give this folder itself if these are the classes, or move its images into one folder")
    }
  }

  /// Whether a file is named like a JPEG or PNG file.
  package static func hasNameOfImage(_ path: String) -> Bool { endings.contains(fileEnding(of: path)) }

  private static let endings: Set = ["png", "apng", "jpg", "jpeg", "jpe", "jfif", "jif", "jfi"]

  /// Whether a file is an image, judging by its first bytes.
  package static func isImage(_ path: String) -> Bool {
    let bytes = firstBytes(of: path)
    return bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]) || bytes.starts(with: [0xff, 0xd8, 0xff])
  }

  /// A copy without some of its files, given by index.
  package func leavingOut(_ indices: Set<Int>) -> ImageFolder {
    var result = self
    result.files = files.indices.filter { !indices.contains($0) }.map { files[$0] }
    return result
  }

  /// The size and colour type of each file.
  package func headers(
    by reader: ImageReader = ImageReader(), workers: WorkerPool = .callingThread
  ) -> [Result<ImageHeader, DatasetError>] {
    workers.map(files.count) { index in
      Result { () throws(DatasetError) in try header(of: files[index], by: reader) }
    }
  }

  private func header(of file: File, by reader: ImageReader) throws(DatasetError) -> ImageHeader {
    let bytes = try memberBytes(of: file)
    do { return try reader.header(of: file.path, contents: bytes) } catch { throw DatasetError(error) }
  }

  /// An image as stored in its file.
  func image(at index: Int, by reader: ImageReader) throws(DatasetError) -> Image {
    let file = files[index]
    let bytes = try memberBytes(of: file)
    do { return try reader.read(file.path, contents: bytes) } catch { throw DatasetError(error) }
  }

  /// The files on the disk that contain the images: the images' own files, or the archive.
  var storedPaths: [String] { archive.map { [$0.path] } ?? files.map(\.path) }

  /// The bytes of a file in an archive; nil for a file on the disk.
  private func memberBytes(of file: File) throws(DatasetError) -> [UInt8]? {
    guard let archive, let member = file.member else { return nil }
    guard member.size <= member.sizeLimit else {
      throw DatasetError(
        .tooLarge, file.path, "it unpacks to more than the limit of \(member.sizeLimit) bytes",
        advice: UnpackedLimit.advice + ", or unpack the archive and give its folder")
    }
    do { return try archive.read(member) } catch {
      throw DatasetError(
        .damaged, file.path, "cannot be read: \(error.problem)",
        advice: "fetch the archive again, \(DatasetError.orSkip)")
    }
  }
}

/// Names of files and folders that accompany a folder of images and describe it. In lower case.
private let companionNames: Set = [
  "mask", "masks", "annotation", "annotations", "label", "labels", "segmentation", "segmentations", "ground_truth",
  "groundtruth", "gt", "trimaps",
]

extension DatasetError {
  init(_ error: ImageError) {
    let (path, reason) = (error.path, error.message)
    switch error.kind {
    case .damaged:
      self.init(
        .damaged, path, "cannot be read as an image: \(reason)",
        advice: "replace or remove the file, \(DatasetError.orSkip)")
    case .tooLarge:
      self.init(
        .tooLarge, path, reason, advice: "raise the limit with --pixel-limit of `ddpm-mpi pack`, or remove the file")
    case .inaccessible:
      self.init(
        .unreadable, path, "cannot be read: \(reason)",
        advice: "check the path and its permissions, \(DatasetError.orSkip)")
    }
  }
}
