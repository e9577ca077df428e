import Files
import Interchange
import Tensors

/// NumPy arrays of images, uint8 [N, H, W, C] or [N, H, W]: a single one (`.npy`), or an archive (`.npz`) with labels
/// and optionally test images, under their usual names.
package struct NumpySource: Sendable {
  /// The names of an array of images and of its labels.
  private typealias Names = (images: String, labels: String)

  /// The names used in the documentation, by Keras, by MedMNIST, and by `numpy.savez` without names. Case does not
  /// matter.
  private static let trainingNames: [Names] = [
    ("images", "labels"), ("train_images", "train_labels"), ("x_train", "y_train"), ("arr_0", "arr_1"),
  ]
  private static let testNames: [Names] = [("test_images", "test_labels"), ("x_test", "y_test")]
  private static let validationNames: [Names] = [("val_images", "val_labels"), ("x_val", "y_val")]

  /// Whether an array of an archive is one of images by its name; `numpy.savez` itself names arrays of any kind arr_0.
  /// - Parameter areBytes: whether its elements are unsigned bytes.
  static func isNameOfImages(_ name: String, areBytes: Bool) -> Bool {
    let isKnown = (trainingNames + testNames + validationNames).contains { $0.images == name.lowercased() }
    return isKnown && (areBytes || name != "arr_0")
  }

  private enum Contents {
    case array(NumpyFile)
    case archive(NumpyArchive)
  }

  package let path: String
  /// How each array was used, or that it was left out, for a summary.
  package let remarks: [String]
  private let contents: Contents
  /// As spelled in the file.
  private let training: Names
  private let test: Names?

  /// Whether a file is a NumPy array or a ZIP archive of arrays, judging by its first bytes and its name.
  package static func canRead(_ path: String) -> Bool {
    let bytes = firstBytes(of: path)
    return bytes.starts(with: [0x93] + Array("NUMPY".utf8))
      || (bytes.starts(with: Array("PK".utf8)) && fileEnding(of: path) == "npz")
  }

  /// - Throws: `DatasetError` for a file that cannot be read, or has no recognised names.
  package init(_ path: String) throws(DatasetError) {
    self.path = path
    do throws(InterchangeError) {
      contents =
        firstBytes(of: path).first == 0x93
        ? .array(try NumpyFile(readingFrom: path)) : .archive(try NumpyArchive(readingFrom: path))
    } catch {
      throw DatasetError(error)
    }
    guard case .archive(let archive) = contents else {
      (training, test, remarks) = (("", ""), nil, [])
      return
    }
    let spellings = Dictionary(archive.names.map { ($0.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
    func find(_ candidates: [Names]) -> Names? {
      candidates.lazy.compactMap { names in
        spellings[names.images].map { ($0, spellings[names.labels] ?? names.labels) }
      }.first
    }
    guard let training = find(Self.trainingNames) else {
      throw DatasetError(
        .wrongLayout, path, "it has no array `images`, but \(archive.names.joined(separator: ", "))",
        advice: "write the images as uint8 [N, H, W, C] to `images` and classes as integers [N] to `labels`; "
          + DatasetError.waysOfFields)
    }
    self.training = training
    test = find(Self.testNames) ?? find(Self.validationNames)
    let used = [training, test].compactMap(\.self).flatMap { [$0.images, $0.labels] } + ["class_names"]
    let others = archive.names.filter { !used.contains($0) }
    let testRemark = test.map { ["\($0.images): for tests"] } ?? []
    remarks = ["\(training.images): for training"] + testRemark + others.map { "\($0): left out" }
  }

  package var hasTests: Bool { test != nil }

  /// - Throws: `DatasetError`.
  package func images(_ split: DatasetSplit) throws(DatasetError) -> any ImageDataset {
    do throws(InterchangeError) {
      switch contents {
      case .array(let file): return try images(file)
      case .archive(let archive): return try images(archive, split)
      }
    } catch {
      throw DatasetError(error)
    }
  }

  private func images(_ file: NumpyFile) throws(InterchangeError) -> NumpyImages {
    let shape = try shape(file.shape, type: file.type, of: "the array")
    guard !file.isColumnMajor else {
      throw InterchangeError(path, "it is in Fortran order", advice: "write it with numpy.ascontiguousarray")
    }
    guard file.elementBytes == shape.reduce(1, *) else {
      throw InterchangeError(
        path, "shape \(file.shape) takes \(shape.reduce(1, *)) bytes, but \(file.elementBytes) bytes follow the header")
    }
    return NumpyImages(name: withoutEnding(lastPart(ofPath: path)), shape: shape, file)
  }

  private func images(_ archive: NumpyArchive, _ split: DatasetSplit) throws(InterchangeError) -> StoredImages {
    let names = split == .training ? training : test ?? training
    let shape = try shape(
      archive.shape(names.images) ?? [], type: archive.type(names.images) ?? "", of: names.images)
    let bytes = try archive.bytes(names.images)
    let labels = try labels(archive, names.labels, count: shape[0])
    let classNames = try classNames(archive)
    guard labels.isEmpty == classNames.isEmpty else {
      throw InterchangeError(
        path, "there are \(classNames.count) classes, but no \(names.labels)",
        advice: "add one integer per image, [N], or remove `class_names`")
    }
    for (index, label) in labels.enumerated() where label < 0 || label >= classNames.count {
      throw InterchangeError(
        path, "label \(index) of \(names.labels) is \(label), but classes are 0 to \(max(classNames.count, 1) - 1)",
        advice: "number the classes from 0")
    }
    return StoredImages(
      name: withoutEnding(lastPart(ofPath: path)), imageShape: Array(shape.dropFirst()), bytes: bytes, labels: labels,
      classNames: classNames, allowsFlips: false, remarks: remarks)
  }

  /// The names of the classes, or numbers up to the largest label of any part.
  private func classNames(_ archive: NumpyArchive) throws(InterchangeError) -> [String] {
    if archive.shape("class_names") != nil { return try archive.texts("class_names") }
    var last: Int64 = -1
    for names in [training, test].compactMap(\.self) where archive.shape(names.labels) != nil {
      last = max(last, try archive.integers(names.labels).max() ?? -1)
    }
    return last < 0 ? [] : (0...min(last, 1 << 16 - 1)).map(String.init)
  }

  /// One integer per image, [N] or [N, 1]; empty if there are none.
  private func labels(_ archive: NumpyArchive, _ name: String, count: Int) throws(InterchangeError) -> [Int64] {
    guard let shape = archive.shape(name) else { return [] }
    guard shape.first == count, shape.dropFirst().allSatisfy({ $0 == 1 }) else {
      throw InterchangeError(
        path, "\(name) has shape \(shape) for \(count) images",
        advice: "store one integer per image, [N], or remove \(name)")
    }
    return try archive.integers(name)
  }

  /// How fields are packed. A single array has no name to choose it by.
  private var waysOfFields: String {
    guard case .array = contents else { return DatasetError.waysOfFields }
    return "for fields (numbers on a grid) add --names NAME to `ddpm-mpi pack`"
  }

  /// The shape [N, H, W, C], given that or [N, H, W].
  private func shape(_ shape: [Int], type: String, of name: String) throws(InterchangeError) -> [Int] {
    let full = shape.count == 3 ? shape + [1] : shape
    guard type == "|u1", full.count == 4, [1, 3].contains(full[3]), full.allSatisfy({ $0 > 0 }) else {
      let isChannelsFirst = shape.count == 4 && [1, 3].contains(shape[1])
      throw InterchangeError(
        path, "\(name) must be uint8 [N, H, W, C] with 1 or 3 channels, or [N, H, W], but is \(type) \(shape)",
        advice: "store bytes from 0 to 255, channels last"
          + (isChannelsFirst ? " (images.transpose(0, 2, 3, 1))" : "") + "; \(waysOfFields)")
    }
    guard checkedProduct(full) != nil else {
      throw InterchangeError(path, "the shape of \(name) is impossible: \(shape)")
    }
    return full
  }
}

/// The images of an array in a file of its own, read one by one on demand.
struct NumpyImages: ImageDataset {
  let name: String
  let count: Int
  let imageShape: [Int]
  let classNames: [String] = []
  let allowsFlips = false
  /// Computed from the shape alone.
  let fingerprint: UInt64
  let readsFiles = true
  private let file: NumpyFile

  /// - Parameter shape: [N, H, W, C].
  init(name: String, shape: [Int], _ file: NumpyFile) {
    self.name = name
    (count, imageShape) = (shape[0], Array(shape.dropFirst()))
    fingerprint = Fingerprint(shape).value
    self.file = file
  }

  var contentMark: UInt64 { Fingerprint.of([fingerprint, modificationMark(file.path)]) }

  func label(of index: Int) -> Int? { nil }

  func copyBytes(of index: Int, into target: ByteTensor) throws {
    precondition((0..<count).contains(index), "there is no image \(index) among \(count)")
    do throws(InterchangeError) {
      try target.withUnsafeMutableBytes { (bytes) throws(InterchangeError) in
        try file.read(at: index * elementsPerImage, into: bytes)
      }
    } catch { throw DatasetError(error) }
  }
}

extension DatasetError {
  /// Converts the error of a file from another program.
  init(_ error: InterchangeError) {
    self.init(.wrongLayout, error.path, error.problem, advice: error.advice)
  }
}
