import Images

/// A kind of images, as far as all images of a folder must be alike.
private struct ImageKind: Hashable {
  /// nil if it makes no difference.
  var size: String?
  var colours: String?

  init(_ header: ImageHeader, _ fitting: FolderImages.Fitting) {
    if fitting.side == nil { size = "\(header.width)x\(header.height) pixels" }
    if fitting.channels == nil { colours = "in \(header.isGrey ? "grey" : "colour")" }
  }

  var description: String { [size.map { "of \($0)" }, colours].compactMap(\.self).joined(separator: " ") }
}

extension DatasetError {
  /// The maximum number of kinds that are listed.
  private static let listLimit = 4

  /// The different kinds of images in a folder that should all be of one kind, with the number of images of each; nil
  /// if they are.
  init?(mixtureIn folder: ImageFolder, _ headers: [ImageHeader], _ fitting: FolderImages.Fitting) {
    var members: [ImageKind: (count: Int, first: Int)] = [:]
    for (index, header) in headers.enumerated() {
      members[ImageKind(header, fitting), default: (0, index)].count += 1
    }
    guard members.count > 1 else { return nil }
    let kinds = members.sorted { ($1.value.count, $0.value.first) < ($0.value.count, $1.value.first) }
    var parts = kinds.prefix(Self.listLimit).map { kind, members in
      "\(members.count) \(kind.description) (such as \(folder.relativePath(of: members.first)))"
    }
    if kinds.count > Self.listLimit {
      let others = kinds[Self.listLimit...]
      parts.append("\(others.map(\.value.count).reduce(0, +)) of \(others.count) more kinds")
    }
    self.init(
      .wrongDimensions, folder.path, "its images are not all alike: " + parts.joined(separator: ", "),
      advice: Set(members.keys.map(\.size)).count > 1
        ? "resize all images to one size with `ddpm-mpi pack \(folder.path) --size N --output FILE.h5`"
        : "convert all of them with --channels 1 (grey) or 3 (colour), or for training data.channels")
  }
}

extension ImageFolder {
  /// A file's path below the folder.
  func relativePath(of index: Int) -> String { String(files[index].path.dropFirst(path.count + 1)) }
}
