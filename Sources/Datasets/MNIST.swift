/// Handwritten digits (LeCun, Cortes, Burges: "The MNIST database", 1998): 28x28 grey, padded to 32x32.
public enum MNIST {
  /// - Parameters:
  ///   - folder: where `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` lie, plain or `.gz`; for the test images
  ///     `t10k-…`.
  ///   - split: which images.
  /// - Throws: `DatasetError`.
  public static func load(folder: String, split: DatasetSplit = .training) throws -> StoredImages {
    try loadIDX(
      name: "mnist", folder: folder, split: split, classNames: (0...9).map(String.init),
      advice: "name the folder of train-images-idx3-ubyte and train-labels-idx1-ubyte (plain or .gz) with "
        + "`--set data.path=…`")
  }
}

/// Pictures of clothes (Xiao, Rasul, Vollgraf: "Fashion-MNIST", 2017, arXiv 1708.07747): 28x28 grey, padded to 32x32.
/// Shoes all point one way, so mirror images are not of this data.
public enum FashionMNIST {
  /// Where Debian's package dataset-fashion-mnist puts it.
  public static let defaultFolder = "/usr/share/datasets/fashion-mnist"

  /// - Parameters:
  ///   - folder: where `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` lie, plain or `.gz`; for the test images
  ///     `t10k-…`.
  ///   - split: which images.
  /// - Throws: `DatasetError`.
  public static func load(folder: String = defaultFolder, split: DatasetSplit = .training) throws -> StoredImages {
    try loadIDX(
      name: "fashion-mnist", folder: folder, split: split,
      classNames: [
        "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
      ],
      advice: "install it (`apt-get install dataset-fashion-mnist`), name its folder with `--set data.path=…`, or "
        + "take `--set data.name=shapes`, which needs no files")
  }
}

/// The side of MNIST's images, and the rim of zeros that makes it a power of two.
private let side = 28
private let rim = 2

private func loadIDX(
  name: String, folder: String, split: DatasetSplit, classNames: [String], advice: String
) throws -> StoredImages {
  let prefix = split == .training ? "train" : "t10k"
  let imagePath = try find("\(prefix)-images-idx3-ubyte", in: folder, advice: advice)
  let labelPath = try find("\(prefix)-labels-idx1-ubyte", in: folder, advice: advice)
  let images = try IDXFile(path: imagePath, dimensionCount: 3)
  let labels = try IDXFile(path: labelPath, dimensionCount: 1)
  guard images.dimensions[1...] == [side, side] else {
    throw DatasetError(
      .wrongDimensions, imagePath,
      "images of \(side)x\(side) were expected, these have \(images.dimensions[1])x\(images.dimensions[2])",
      advice: "check that it is the file its name says")
  }
  guard images.dimensions[0] > 0 else {
    throw DatasetError(.wrongDimensions, imagePath, "there are no images in it")
  }
  guard labels.dimensions[0] == images.dimensions[0] else {
    throw DatasetError(
      .countMismatch, labelPath, "\(labels.dimensions[0]) labels for \(images.dimensions[0]) images",
      advice: "take both files from one source")
  }
  try checkLabels(labels.elements, classCount: classNames.count, file: labelPath)
  return StoredImages(
    name: name, height: side + 2 * rim, width: side + 2 * rim, channels: 1, bytes: padded(images.elements),
    labels: Array(labels.elements), classNames: classNames, allowsFlips: false)
}

/// The file of this name in the folder, or its `.gz`.
private func find(_ file: String, in folder: String, advice: String) throws -> String {
  let path = "\(folder)/\(file)"
  for candidate in [path, path + ".gz"] where fileExists(candidate) { return candidate }
  throw DatasetError(.missing, path, "neither it nor its .gz is there", advice: advice)
}

/// Images with a rim of zeros on all four sides.
private func padded(_ images: ArraySlice<UInt8>) -> [UInt8] {
  let paddedSide = side + 2 * rim
  let rows = images.count / side
  var result = [UInt8](repeating: 0, count: rows / side * paddedSide * paddedSide)
  result.withUnsafeMutableBufferPointer { destination in
    images.withUnsafeBufferPointer { source in
      guard let to = destination.baseAddress, let from = source.baseAddress else { return }
      for row in 0..<rows {
        let paddedRow = row / side * paddedSide + row % side + rim
        (to + paddedRow * paddedSide + rim).update(from: from + row * side, count: side)
      }
    }
  }
  return result
}
