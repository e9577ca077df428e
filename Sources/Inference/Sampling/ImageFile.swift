import HDF5
import Jobs
import Tensors

/// Datasets of images, [count, H, W, C], of which each rank reads and writes a range.
struct ImageFile {
  let path: String
  /// [H, W, C].
  let imageShape: [Int]

  private var imageSize: Int { imageShape.reduce(1, *) }

  /// Writes this rank's range of images. Collective.
  /// - Parameter values: its first element.
  func write(
    _ values: UnsafeRawPointer?, _ type: ElementType, _ name: String, _ range: Range<Int>, of count: Int,
    to file: borrowing HDF5File
  ) throws {
    let dataset = try file.createDataset(name, shape: [count] + imageShape, type: type)
    try dataset.write(
      flatRange: range.lowerBound * imageSize..<range.upperBound * imageSize, from: values, collective: true)
    try dataset.close()
  }

  /// Writes this rank's range of one number for each image. Collective.
  func write(_ labels: [Int64], _ name: String, _ range: Range<Int>, of count: Int, to file: borrowing HDF5File) throws
  {
    let dataset = try file.createDataset(name, shape: [count], type: .int64)
    try labels.withUnsafeBytes { try dataset.write(flatRange: range, from: $0.baseAddress, collective: true) }
    try dataset.close()
  }

  /// How many images a dataset has.
  /// - Parameters:
  ///   - option: what the file was given by, for messages.
  ///   - count: how many there must be; nil for any number.
  /// - Throws: `InputError` unless it is there with single precision and the right shape.
  func count(of name: String, option: String, expecting count: Int? = nil) throws -> Int {
    let expected =
      "float32 \(count.map { "\([$0] + imageShape)" } ?? "[N, \(imageShape.map(String.init).joined(separator: ", "))]")"
    let file = try open(option)
    guard try file.exists(name) else {
      throw InputError("\(option) \(path): it has no dataset `\(name)`, \(expected)")
    }
    let dataset = try file.openDataset(name)
    guard dataset.type == .float32, !dataset.shape.isEmpty, Array(dataset.shape.dropFirst()) == imageShape,
      count.map({ dataset.shape[0] == $0 }) ?? true
    else {
      throw InputError(
        "\(option) \(path): `\(name)` is \(dataset.type.rawValue) \(dataset.shape), but \(expected) is needed")
    }
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

  /// The numbers of all images; nil if the dataset is not there.
  func readLabels(_ name: String, count: Int, option: String) throws -> [Int64]? {
    let file = try open(option)
    guard try file.exists(name) else { return nil }
    let dataset = try file.openDataset(name)
    guard dataset.type == .int64, dataset.shape == [count] else {
      throw InputError(
        "\(option) \(path): `\(name)` is \(dataset.type.rawValue) \(dataset.shape), but int64 [\(count)] is needed")
    }
    return try dataset.readAll(as: Int64.self)
  }

  private func open(_ option: String) throws -> HDF5File {
    do { return try HDF5File.open(path) } catch { throw InputError("\(option) \(error)") }
  }
}
