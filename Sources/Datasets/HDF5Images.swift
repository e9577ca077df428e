import HDF5
import Tensors

/// The images of an HDF5 file that is arranged in any way that libhdf5 reads, in chunks or compressed, without
/// checksums: to be packed. Only one thread may use it, the one that calls libhdf5.
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
  private let path: String
  private let file: HDF5File
  private let dataset: String

  /// - Throws: `DatasetError`.
  public init(path: String, split: DatasetSplit = .training) throws {
    let contents = try ImageFileContents.read(path, split: split)
    let shape = contents.shape
    (count, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
    (name, classNames, allowsFlips) = (contents.name, contents.classNames, contents.allowsFlips)
    (labels, dataset, self.path) = (contents.labels, contents.dataset, path)
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

  /// The images of a file, with their checksums compared if it has any.
  public static func load(path: String, split: DatasetSplit) throws -> any ImageDataset {
    let contents = try ImageFileContents.read(path, split: split)
    // What has checksums must be whole; only what never had them is taken as it is.
    return contents.checksums == nil
      ? try HDF5Images(path: path, split: split) : try PackedImages(path: path, split: split)
  }

  public func label(of index: Int) -> Int? { labels.isEmpty ? nil : Int(labels[index]) }

  public func copyBytes(of index: Int, into destination: UnsafeMutablePointer<UInt8>) throws {
    _ = try copyBytes(of: index..<index + 1, into: destination, workers: .callingThread)
  }

  public func copyBytes(
    of images: Range<Int>, into destination: UnsafeMutablePointer<UInt8>, workers: WorkerPool
  ) throws -> [DamagedImage] {
    do {
      let images = images.lowerBound * elementsPerImage..<images.upperBound * elementsPerImage
      try file.openDataset(dataset).read(flatRange: images, into: destination)
      return []
    } catch {
      throw DatasetError(error, path)
    }
  }
}
