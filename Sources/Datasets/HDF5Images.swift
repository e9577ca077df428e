import Compression
import HDF5
import Tensors

/// The images of an HDF5 file that is arranged in any way that libhdf5 reads, in chunks or compressed, with checksums or
/// without: to be packed. Only one thread may use it, the one that calls libhdf5.
public final class HDF5Images: ImageDataset, @unchecked Sendable {
  public let name: String
  public let count: Int
  public let height: Int
  public let width: Int
  public let channels: Int
  public let classNames: [String]
  public let allowsFlips: Bool
  /// Of the labels and the shape: the contents have no checksums.
  public let fingerprint: UInt64
  public let readsFiles = true
  private let labels: [Int64]
  /// nil if there are none to compare.
  private let checksums: [Int64]?
  private let path: String
  private let file: HDF5File
  private let dataset: String

  /// - Throws: `DatasetError`.
  public init(path: String, split: DatasetSplit = .training) throws {
    let contents = try ImageFileContents.read(path, split: split)
    let shape = contents.shape
    (count, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
    (name, classNames, allowsFlips) = (contents.name, contents.classNames, contents.allowsFlips)
    (labels, checksums, dataset, self.path) = (contents.labels, contents.checksums, contents.dataset, path)
    var fingerprint = Fingerprint()
    for number in shape { fingerprint.add(number) }
    fingerprint.add(labels)
    self.fingerprint = fingerprint.value
    do {
      file = try HDF5File.open(path)
    } catch {
      throw DatasetError(error, path)
    }
  }

  public var contentMark: UInt64 { Fingerprint.of([fingerprint, modificationMark(path)]) }

  public func label(of index: Int) -> Int? { labels.isEmpty ? nil : Int(labels[index]) }

  public func copyBytes(of index: Int, into destination: UnsafeMutablePointer<UInt8>) throws {
    let damaged = try copyBytes(of: index..<index + 1, into: destination, workers: .callingThread)
    if let first = damaged.first { throw first.error }
  }

  public func copyBytes(
    of images: Range<Int>, into destination: UnsafeMutablePointer<UInt8>, workers: WorkerPool
  ) throws -> [DamagedImage] {
    do {
      let elements = images.lowerBound * elementsPerImage..<images.upperBound * elementsPerImage
      try file.openDataset(dataset).read(flatRange: elements, into: destination)
    } catch {
      throw DatasetError(error, path)
    }
    guard let checksums else { return [] }
    return images.compactMap { index in
      let bytes = UnsafeRawBufferPointer(
        start: destination + (index - images.lowerBound) * elementsPerImage, count: elementsPerImage)
      if Int64(crc32(bytes)) == checksums[index] { return nil }
      return DamagedImage(index: index, error: DatasetError(damaged: "\(dataset)[\(index)]", path))
    }
  }
}
