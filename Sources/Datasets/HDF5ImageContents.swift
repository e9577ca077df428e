import Files
import HDF5

/// The contents of an HDF5 file of images apart from their values; written by `ddpm-mpi pack`, or by another program in
/// the same or a simpler arrangement.
struct HDF5ImageContents: Codable, Sendable {
  let path: String
  /// The dataset of the images: `images` or `test/images`.
  let dataset: String
  var name: String
  /// [N, H, W, C].
  var shape: [Int] = []
  var classNames: [String] = []
  var allowsFlips = false
  /// Empty if there are none.
  @EncodedAsBytes var labels: [Int64] = []
  /// Empty if there are none.
  @EncodedAsBytes var checksums: [Int64] = []
  /// The offset of the images in the file, if they are contiguous.
  var offset: Int?
  var isComplete = false
  /// The type of the images; nil if there is no dataset of images.
  private var type: ElementType?
  /// The filter of the images that libhdf5 does not support.
  private var missingFilter: HDF5Filter?
  /// The dataset with a wrong number of values, and its shape.
  private var mismatch: (dataset: String, shape: [Int])?
  /// The names of other objects, if there is no dataset of images.
  private var otherNames: [String] = []
  /// Whether most values of the images were never stored.
  private var isUnwritten = false

  /// What a child process sends back; the other properties are only for the checks, and for `requirePacked`.
  private enum CodingKeys: CodingKey {
    case path, dataset, name, shape, classNames, allowsFlips, labels, checksums
  }

  /// - Throws: `DatasetError` if the file contains no usable images.
  static func read(_ path: String, split: DatasetSplit) throws(DatasetError) -> HDF5ImageContents {
    let contents: HDF5ImageContents
    do { contents = try read(HDF5File.open(path), split: split) } catch { throw DatasetError(error, path) }
    try contents.check(split)
    return contents
  }

  private static func read(_ file: borrowing HDF5File, split: DatasetSplit) throws(HDF5Error) -> HDF5ImageContents {
    let group = split == .test ? "test/" : ""
    var contents = HDF5ImageContents(
      path: file.path, dataset: "\(group)images", name: withoutEnding(lastPart(ofPath: file.path)))
    if try file.exists(contents.dataset) {
      let images = try file.openDataset(contents.dataset)
      (contents.shape, contents.type) = (images.shape, images.type)
      contents.isUnwritten = images.isMostlyUnwritten()
      // Grey images may lack the channel dimension.
      if contents.shape.count == 3 { contents.shape.append(1) }
      contents.offset = try images.contiguousOffset()
      contents.missingFilter = try images.missingFilter()
    } else {
      contents.otherNames = try file.names()
    }
    contents.labels = try contents.integers("\(group)labels", of: file) ?? []
    contents.checksums = try contents.integers("\(group)crc32", of: file) ?? []
    if try file.attributeExists("name") { contents.name = try file.readAttribute("name", as: String.self) }
    if try file.attributeExists("class_names") {
      contents.classNames = try file.readAttribute("class_names", as: [String].self)
    } else if try file.exists("class_names") {
      contents.classNames = try file.readTexts("class_names")
    } else if let last = contents.labels.max(), last >= 0, last < 1 << 16 {
      contents.classNames = (0...last).map(String.init)
    }
    if try file.attributeExists("allows_flips") {
      contents.allowsFlips = try file.readAttribute("allows_flips", as: Int64.self) != 0
    }
    if try file.attributeExists("complete") {
      contents.isComplete = try file.readAttribute("complete", as: Int64.self) == 1
    }
    return contents
  }

  /// One integer per image, [N] or [N, 1]; nil if there are none. They are not read if their number is wrong.
  private mutating func integers(_ dataset: String, of file: borrowing HDF5File) throws(HDF5Error) -> [Int64]? {
    guard try file.exists(dataset) else { return nil }
    let shape = try file.integerShape(dataset)
    guard let count = self.shape.first, shape.first == count, shape.dropFirst().allSatisfy({ $0 == 1 }) else {
      mismatch = mismatch ?? (dataset, shape)
      return nil
    }
    return try file.readIntegers(dataset)
  }

  private func check(_ split: DatasetSplit) throws(DatasetError) {
    guard let type else {
      if split == .test {
        throw DatasetError(
          .missing, path, "it contains no test images",
          advice: "pack some with `ddpm-mpi pack … --test FOLDER`, or use the training images if possible")
      }
      let others = otherNames.isEmpty ? "" : ", but \(otherNames.prefix(10).joined(separator: ", "))"
      throw DatasetError(
        .wrongLayout, path, "it has no dataset `images`\(others)", advice: DatasetError.expectedDatasets)
    }
    guard type == .uint8, shape.count == 4, [1, 3].contains(shape[3]), shape.allSatisfy({ $0 > 0 }) else {
      let isChannelsFirst = shape.count == 4 && [1, 3].contains(shape[1])
      throw DatasetError(
        .wrongDimensions, path,
        "`\(dataset)` must be uint8 [N, H, W, C] with 1 or 3 channels, or [N, H, W], but is \(type.rawValue) \(shape)",
        advice: "store bytes from 0 to 255, channels last"
          + (isChannelsFirst ? " (images.transpose(0, 2, 3, 1))" : "") + "; \(DatasetError.waysOfFields)")
    }
    guard !isUnwritten else {
      throw DatasetError(
        .truncated, path, "`\(dataset)` is \(shape), but most of its values were never written",
        advice: "write all images to the file")
    }
    if let mismatch {
      throw DatasetError(
        .countMismatch, path, "`\(mismatch.dataset)` has shape \(mismatch.shape) for \(shape[0]) images",
        advice: "store one integer per image, [N]")
    }
    if let missingFilter {
      throw DatasetError(
        .unreadable, path, "`\(dataset)` is compressed by \(missingFilter), which libhdf5 here does not support",
        advice: missingFilter.adviceIfMissing)
    }
    if labels.isEmpty && !classNames.isEmpty && split == .training {
      throw DatasetError(
        .countMismatch, path, "it names \(classNames.count) classes, but has no `labels`",
        advice: "add `labels`, one integer per image, or remove `class_names`")
    }
    if classNames.isEmpty, let last = labels.max() {
      throw DatasetError(
        .wrongLabel, path,
        "there is a label \(last), but no `class_names`, and classes must be from 0 to 65535",
        advice: "number the classes from 0")
    }
    try checkLabels(labels, 0..<classNames.count, file: path, advice: "assign every image a valid class number")
  }

  /// The data for reading single images without libhdf5 and detecting damage.
  func requirePacked() throws -> (offset: Int, checksums: [UInt32]) {
    let problem: String
    if let offset, !checksums.isEmpty, isComplete {
      let values = checksums.compactMap { UInt32(exactly: $0) }
      if values.count == checksums.count { return (offset, values) }
      problem = "`crc32` contains numbers that are not checksums"
    } else if checksums.isEmpty {
      problem = "its images have no checksums (`crc32`, uint32 [N])"
    } else if offset == nil {
      problem = "its images are not stored contiguously, but in chunks"
    } else {
      problem = "it is incomplete (the attribute `complete` is not 1)"
    }
    throw DatasetError(
      .wrongLayout, path, problem,
      advice: "create a file that training can read with `ddpm-mpi pack \(path) --output NEW.h5`")
  }
}

extension HDF5Filter {
  /// What to do if libhdf5 does not support it.
  var adviceIfMissing: String {
    number == 32000
      ? "install Debian's package hdf5-plugin-lzf, or write the file with gzip compression or without compression"
      : "install its plugin and set HDF5_PLUGIN_PATH to its folder, or write the file with gzip or without"
  }
}

extension DatasetError {
  /// How fields are packed whose file is taken for one of images.
  static let waysOfFields = "for fields (numbers on a grid) add --variables NAMES to `ddpm-mpi pack`"

  /// The required contents of a file of images from any program.
  fileprivate static let expectedDatasets =
    "an HDF5 file of images has `images`, uint8 [N, H, W, C], and for classes `labels`, integers [N], and "
    + "optionally the attribute `class_names`, a list of strings; \(waysOfFields)"

  /// Converts libhdf5's error for a file of images.
  init(_ error: HDF5Error, _ path: String) {
    switch error.reason {
    case .noSuchFile: self.init(.missing, path, "there is no such file", advice: "check the path")
    case .notHDF5: self.init(.wrongMagic, path, error.message, advice: Self.expectedDatasets)
    case .noSuchObject, .wrongType, .fileExists:
      self.init(.wrongLayout, error.subject, error.message, advice: Self.expectedDatasets)
    case .damaged: self.init(.damaged, path, error.message, advice: "fetch the file again, or pack it again")
    case .unsealed:
      self.init(
        .wrongLayout, path, error.message,
        advice: "create a file that training can read with `ddpm-mpi pack \(path) --output NEW.h5`")
    case .other: self.init(.unreadable, error.subject, error.message)
    }
  }
}
