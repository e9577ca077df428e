import Files

/// MNIST and the data sets modelled on it: the names of their files and the meaning of their labels.
struct IDXFamily: Sendable, Equatable {
  let name: String
  /// The prefix of the files' names, before `train` or `t10k`.
  var prefix = ""
  /// The start of the names of test files, after the prefix.
  var test = "t10k"
  let classNames: [String]
  /// The label of the first class.
  var firstLabel = 0
  /// Whether rows and columns of the images are exchanged.
  var isTransposed = false
  /// The end of the names of label files.
  var labels = "labels-idx1-ubyte"

  private static let digits = (0...9).map(String.init)

  static let mnist = IDXFamily(name: "mnist", classNames: digits)
  static let fashionMNIST = IDXFamily(
    name: "fashion-mnist",
    classNames: ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"])
  /// Japanese letters (Clanuwat et al.: "Deep Learning for Classical Japanese Literature", 2018, arXiv 1812.01718).
  static let kmnist = IDXFamily(
    name: "kmnist", classNames: ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"])
  /// MNIST with more test images (Yadav, Bottou: "Cold Case: The Lost MNIST Digits", 2019, arXiv 1905.10498).
  static let qmnist = IDXFamily(
    name: "qmnist", prefix: "qmnist-", test: "test", classNames: digits, labels: "labels-idx2-int")

  /// Letters and digits (Cohen et al.: "EMNIST", 2017, arXiv 1702.05373): six sets, whose files are in one folder.
  /// Images are stored column by column, as in the NIST files. Labels of `letters` start at 1.
  static let emnist: [IDXFamily] = {
    let capitals = (UInt8(ascii: "A")...UInt8(ascii: "Z")).map { String(UnicodeScalar($0)) }
    let small = capitals.map { $0.lowercased() }
    // The other lower-case letters look like capitals and are merged with them.
    let merged = digits + capitals + ["a", "b", "d", "e", "f", "g", "h", "n", "q", "r", "t"]
    return [
      ("balanced", merged), ("byclass", digits + capitals + small), ("bymerge", merged), ("digits", digits),
      ("letters", small), ("mnist", digits),
    ].map { name, classes in
      IDXFamily(
        name: "emnist-\(name)", prefix: "emnist-\(name)-", test: "test", classNames: classes,
        firstLabel: name == "letters" ? 1 : 0, isTransposed: true)
    }
  }()

  /// The families that are identified by the names of their files.
  private static let withPrefix = emnist + [qmnist]

  /// The names of the files of images, without and with compression; some have a dot before the format.
  func imageFiles(_ split: DatasetSplit) -> [String] { Self.spellings("\(stem(split))-images-idx3-ubyte") }
  func labelFiles(_ split: DatasetSplit) -> [String] { Self.spellings("\(stem(split))-\(labels)") }

  private func stem(_ split: DatasetSplit) -> String { prefix + (split == .training ? "train" : test) }

  private static func spellings(_ name: String) -> [String] {
    let names = [name, name.replacing("-idx", with: ".idx")]
    return names + names.map { "\($0).gz" }
  }

  /// The folders in which torchvision stores them, below its root.
  private static let usualFolders = ["FashionMNIST", "MNIST", "KMNIST", "QMNIST", "EMNIST"]

  /// The data sets whose training images are in a folder, in its subfolder `raw` (torchvision) or `gzip` (EMNIST's
  /// archive), or in that of a subfolder with one of torchvision's names.
  static func sets(in path: String) -> [IDXSet] {
    let folders = [path] + usualFolders.map { "\(path)/\($0)" }.filter(fileExists)
    return folders.flatMap { folder in ["", "/raw", "/gzip"].flatMap { sets(directlyIn: folder + $0) } }
  }

  private static func sets(directlyIn folder: String) -> [IDXSet] {
    let all = withPrefix + [byName(of: folder)]
    return all.map { IDXSet(family: $0, folder: folder) }.filter { $0.has(.training) }
  }

  /// Chooses, by the folder's name, among the families with the same file names.
  private static func byName(of folder: String) -> IDXFamily {
    var parts = standardisedPath(folder).split(separator: "/")
    while parts.count > 1, ["raw", "gzip"].contains(parts.last?.lowercased()) { parts.removeLast() }
    let name = parts.last.map(String.init) ?? "mnist"
    let letters = name.lowercased().filter(\.isLetter)
    if letters.contains("fashion") { return fashionMNIST }
    if letters.contains("kmnist") || letters.contains("kuzushiji") { return kmnist }
    return letters == "mnist" ? mnist : IDXFamily(name: name, classNames: digits)
  }
}

/// A data set of IDX files in a folder.
package struct IDXSet: Sendable {
  let family: IDXFamily
  let folder: String

  package var name: String { family.name }
  /// The path of the source, including the prefix if a folder contains several sets.
  package var path: String { family.prefix.isEmpty ? folder : "\(folder)/\(family.prefix.dropLast())" }

  /// All sets in a folder, or a single one if the path ends with the prefix of its files: `raw/emnist-letters`.
  package static func sets(in path: String) -> [IDXSet] {
    if fileExists(path) { return IDXFamily.sets(in: path) }
    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    return IDXFamily.sets(in: parent).filter { $0.family.prefix == "\(lastPart(ofPath: path))-" }
  }

  /// Whether it has images for this split.
  package func has(_ split: DatasetSplit) -> Bool {
    family.imageFiles(split).contains { fileExists("\(folder)/\($0)") }
  }

  /// - Parameter advice: what to do if files are missing.
  /// - Throws: `DatasetError`.
  package func load(
    _ split: DatasetSplit,
    advice: String = "put the files of images and labels into one folder, plain or compressed (.gz)"
  ) throws -> StoredImages {
    let imagePath = try find(family.imageFiles(split), advice: advice)
    let labelPath = try find(family.labelFiles(split), advice: advice)
    let images = try IDXFile(path: imagePath, dimensionCount: 3)
    let labels = try family.classIndices(path: labelPath)
    guard images.dimensions[1...] == [side, side] else {
      throw DatasetError(
        .wrongDimensions, imagePath,
        "expected images of \(side)x\(side), found \(images.dimensions[1])x\(images.dimensions[2])",
        advice: "check that it is the right file")
    }
    guard images.dimensions[0] > 0 else {
      throw DatasetError(.wrongDimensions, imagePath, "there are no images in it")
    }
    guard labels.count == images.dimensions[0] else {
      throw DatasetError(
        .countMismatch, labelPath, "\(labels.count) labels for \(images.dimensions[0]) images",
        advice: "use both files from the same source")
    }
    return StoredImages(
      name: family.name, imageShape: [side + 2 * rim, side + 2 * rim, 1],
      bytes: padded(images.elements, transposed: family.isTransposed), labels: labels,
      classNames: family.classNames, allowsFlips: false)
  }

  /// The first existing file of these.
  private func find(_ names: [String], advice: String) throws -> String {
    let paths = names.map { "\(folder)/\($0)" }.filter(fileExists)
    // Some unpackers create a folder with the file's name.
    if let path = paths.first(where: isRegularFile) ?? paths.first { return path }
    throw DatasetError(.missing, "\(folder)/\(names[0])", "neither it nor its .gz exists", advice: advice)
  }
}

/// The side of MNIST's images, and the border of zeros that makes it a power of two.
private let side = 28
private let rim = 2

/// Images with a border of zeros on all four sides.
/// - Parameter transposed: whether rows and columns are exchanged.
private func padded(_ images: ArraySlice<UInt8>, transposed: Bool) -> [UInt8] {
  let paddedSide = side + 2 * rim
  var result = [UInt8](repeating: 0, count: images.count / (side * side) * paddedSide * paddedSide)
  for row in 0..<images.count / side {
    let (image, line) = row.quotientAndRemainder(dividingBy: side)
    let source = images.startIndex + row * side
    // The first pixel's position in the result, and the distance to the next.
    let (first, step) = transposed ? (rim * paddedSide + line + rim, paddedSide) : ((line + rim) * paddedSide + rim, 1)
    let target = image * paddedSide * paddedSide + first
    for column in 0..<side { result[target + column * step] = images[source + column] }
  }
  return result
}
