import Files

/// The arrangement of the images of a folder, or of a ZIP archive of one: with or without classes, and with or without
/// separate training and test images.
///
/// Subfolders with such names are splits: `train` and `val`, `Training` and `Testing`, `train`, `valid` and `test`,
/// `seg_train` and `seg_test`, or the first alone. The test images are used for tests, or the validation images if
/// there are no test images with the same arrangement. Without splits, all images are for training. In a split, or in a
/// folder without splits, each subfolder is a class. If there is a file `dataset.json` with labels (EDM, StyleGAN), it
/// determines the classes, and subfolders are ignored.
package struct FolderArrangement: Sendable {
  package let path: String
  /// Whether training and test images are in separate subfolders.
  package let hasSplits: Bool
  /// How each split was used and what was left out, for a summary.
  package let remarks: [String]
  private let training: FileTree?
  private let test: FileTree?
  private let subfoldersAreClasses: Bool
  /// The labels of a folder whose classes are in a file.
  private let labels: DatasetJSON?

  /// Reads all names below a folder.
  /// - Parameter subfoldersAreClasses: whether subfolders are classes even if their names are those of splits.
  /// - Throws: `DatasetError` for an ambiguous arrangement.
  package init(_ path: String, subfoldersAreClasses: Bool = false) throws(DatasetError) {
    self.path = path
    self.subfoldersAreClasses = subfoldersAreClasses
    let tree = try FileTree(path)
    let names = tree.folders.map(\.name)
    var remarks: [String] = []
    labels = try tree.datasetLabels()
    if labels != nil {
      (hasSplits, training, test) = (false, tree, nil)
      remarks = ["\(DatasetJSON.fileName): labels"]
    } else if !subfoldersAreClasses, let roles = SplitRole.roles(of: names) {
      hasSplits = true
      (training, test, remarks) = try splits(of: tree, roles)
    } else {
      guard subfoldersAreClasses || names.isEmpty || !SplitRole.areMixed(in: names) else {
        throw DatasetError(
          .wrongLayout, path, "its subfolders seem to be both classes and splits (\(names.joined(separator: ", ")))",
          advice: "make folders train and test, each with a subfolder per class, "
            + "or use each as a class with `ddpm-mpi pack \(path) --no-splits`")
      }
      (hasSplits, training, test) = (false, tree, nil)
    }
    remarks += tree.allSystemFolders.map { folder in
      "\(String(decoding: folder.utf8.dropFirst(path.utf8.count + 1), as: UTF8.self)): a system folder, left out"
    }
    if case let count = tree.allOtherFiles.count - (labels == nil ? 0 : 1), count > 0 {
      remarks.append(
        count == 1 ? "1 file that is not an image, left out" : "\(count) files that are not images, left out")
    }
    self.remarks = remarks
  }

  /// Whether a file is a ZIP archive, but not of a format based on ZIP (`.npz`, `.pt`).
  package static func isArchive(_ path: String) -> Bool {
    firstBytes(of: path).starts(with: Array("PK".utf8)) && !NumpySource.canRead(path)
      && UnsupportedFormat.named(path) == nil
  }

  /// Whether there are separate test images.
  package var hasTests: Bool { test != nil }

  /// The training or test images; the classes of test images are those of the training images.
  /// - Throws: `DatasetError`.
  package func images(_ split: DatasetSplit) throws(DatasetError) -> ImageFolder {
    guard let training else {
      throw DatasetError(
        .missing, path, "it has test images only",
        advice: "add a folder train beside them, or give the folder of the images themselves")
    }
    guard split == .training || test != nil else {
      throw DatasetError(
        .missing, path, "it has no test images; they would be in a subfolder test, beside train",
        advice: "create both, or use the training images if possible")
    }
    var images: ImageFolder
    if let labels {
      images = try ImageFolder(training, labels)
    } else {
      images = try ImageFolder(training, classNames: nil, allowsSplitNames: subfoldersAreClasses)
    }
    if split == .test, let test { images = try ImageFolder(test, classNames: images.classNames) }
    images.name = isRegularFile(path) ? withoutEnding(lastPart(ofPath: path)) : lastPart(ofPath: path)
    images.remarks = remarks
    return images
  }

  /// The test images if there are separate ones, otherwise all images.
  /// - Parameter classNames: the required classes; some may have no images.
  /// - Throws: `DatasetError`.
  package func imagesForTests(classNames: [String]) throws(DatasetError) -> ImageFolder {
    guard labels == nil, let tree = test ?? training else { return try images(.training) }
    var images = try ImageFolder(tree, classNames: classNames, allowsSplitNames: subfoldersAreClasses)
    images.remarks = remarks
    return images
  }
}

/// The subfolders that are splits.
/// - Returns: the folders used, and a remark on each subfolder.
private func splits(
  of tree: FileTree, _ roles: [SplitRole?]
) throws(DatasetError) -> (training: FileTree?, test: FileTree?, remarks: [String]) {
  let names = tree.folders.map(\.name)
  let splitNames = zip(names, roles).filter { $0.1 != nil }.map(\.0).joined(separator: ", ")
  let otherwise = "; if it is a class, use `ddpm-mpi pack \(tree.path) --no-splits`"
  if let image = tree.images.first {
    throw DatasetError(
      .wrongLayout, image.path, "is next to the splits (\(splitNames))",
      advice: "move it into one of them, or away\(otherwise)")
  }
  func folder(_ role: SplitRole) throws(DatasetError) -> FileTree? {
    let folders = zip(tree.folders, roles).filter { $0.1 == role }.map(\.0)
    guard folders.count <= 1 else {
      throw DatasetError(
        .wrongLayout, folders[1].path, "means the same as \(folders[0].name)",
        advice: "put the images of both into one folder\(otherwise)")
    }
    return folders.first
  }
  for (folder, role) in zip(tree.folders, roles) where role == nil && folder.holdsImages {
    throw DatasetError(
      .wrongLayout, folder.path, "is neither for training nor for tests, but is next to the splits (\(splitNames))",
      advice: "move it away, or give the folder of the images themselves\(otherwise)")
  }
  let training = try folder(.training)
  let candidates = [try folder(.test), try folder(.validation)].compactMap(\.self).filter(\.holdsImages)
  // Both without classes, or with some classes in common.
  let classes = training.map { Set($0.folders.map(\.name)) }
  let fitting = candidates.filter { folder in
    guard let classes, !(classes.isEmpty && folder.folders.isEmpty) else { return true }
    return folder.folders.contains { classes.contains($0.name) }
  }
  let test = fitting.first
  let remarks = tree.folders.map { folder in
    guard folder.holdsImages else { return "\(folder.name): no images, left out" }
    let count = folder.allImages.count
    let images = "\(folder.name): \(count) \(count == 1 ? "image" : "images")"
    if folder.path == training?.path { return "\(images), for training" }
    if folder.path == test?.path { return "\(images), for tests" }
    if fitting.contains(where: { $0.path == folder.path }) {
      return "\(images), left out (to use it instead of \(test?.name ?? ""): --test \(folder.path))"
    }
    return
      "\(images) \(folder.folders.isEmpty ? "without classes" : "in classes other than those of training images"), left out"
  }
  return (training, test, remarks)
}
