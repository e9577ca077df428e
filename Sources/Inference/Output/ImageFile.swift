import HDF5
import Jobs
import Tensors

/// Datasets of images, [count, H, W, C], of which each rank reads a range.
struct ImageFile {
  let path: String
  /// [H, W, C].
  let imageShape: [Int]

  private var imageSize: Int { imageShape.reduce(1, *) }

  /// How many images a dataset has.
  /// - Parameters:
  ///   - option: what the file was given by, for messages.
  /// - Throws: `InputError` unless it is there with single precision and the right shape.
  func count(of name: String, option: String) throws -> Int {
    let expected = "float32 [N, \(imageShape.map(String.init).joined(separator: ", "))]"
    let file = try open(option)
    guard try file.exists(name) else {
      throw InputError("\(option) \(path): it has no dataset `\(name)`, \(expected)")
    }
    let dataset = try file.openDataset(name)
    guard dataset.type == .float32, !dataset.shape.isEmpty, Array(dataset.shape.dropFirst()) == imageShape else {
      throw InputError(
        "\(option) \(path): `\(name)` is \(dataset.type.rawValue) \(dataset.shape), but \(expected) is needed")
    }
    guard dataset.shape[0] > 0 else { throw InputError("\(option) \(path): `\(name)` holds no images") }
    return dataset.shape[0]
  }

  /// A range of a dataset's images, [range.count, H, W, C].
  func read(_ name: String, _ range: Range<Int>, option: String) throws -> Tensor {
    let dataset = try open(option).openDataset(name)
    let tensor = Tensor(uninitialised: [range.count] + imageShape)
    try dataset.read(
      flatRange: range.lowerBound * imageSize..<range.upperBound * imageSize, into: tensor.pointer)
    return tensor
  }

  /// Whether there is a dataset with a number for each image.
  /// - Throws: `InputError` if it is there with another type or shape.
  func hasLabels(_ name: String, count: Int, option: String) throws -> Bool {
    let file = try open(option)
    guard try file.exists(name) else { return false }
    let dataset = try file.openDataset(name)
    guard dataset.type == .int64, dataset.shape == [count] else {
      throw InputError(
        "\(option) \(path): `\(name)` is \(dataset.type.rawValue) \(dataset.shape), but int64 [\(count)] is needed")
    }
    return true
  }

  /// The numbers of a range of images; negative ones stand for none.
  func readLabels(_ name: String, _ range: Range<Int>, option: String) throws -> [Int?] {
    try open(option).openDataset(name).read(flatRange: range, as: Int64.self).map { $0 < 0 ? nil : Int($0) }
  }

  private func open(_ option: String) throws -> HDF5File {
    do { return try HDF5File.open(path) } catch { throw InputError("\(option) \(error)") }
  }
}
