import Compression
import ForeignFiles
import HDF5
import Tensors

/// The images of an HDF5 file in any arrangement that libhdf5 can read, chunked or compressed, with or without
/// checksums; for packing. A child process reads it, since a damaged file could crash libhdf5 or make it run forever.
/// Only one thread may use it.
package final class HDF5Images: ImageDataset, @unchecked Sendable {
  package let count: Int
  package let imageShape: [Int]
  /// Computed from the labels and the shape, since the contents have no checksums.
  package let fingerprint: UInt64
  package let readsFiles = true
  private let contents: HDF5ImageContents
  private let reader: ForeignReader

  package var name: String { contents.name }
  package var classNames: [String] { contents.classNames }
  package var allowsFlips: Bool { contents.allowsFlips }

  /// The number of bytes of images that the child sends at once.
  private static let pieceSize = 1 << 24

  /// - Throws: `DatasetError`.
  package init(path: String, split: DatasetSplit = .training) throws {
    // The seal of a file written by this program can be verified.
    do { _ = try FileSeal.isOn(path) } catch { throw DatasetError(error, path) }
    (reader, contents) = try DatasetError.naming(path) {
      let reader = try ForeignReader()
      return (reader, try reader.ask(ImageContentsQuestion(path: path, split: split)))
    }
    (count, imageShape) = (contents.shape[0], Array(contents.shape.dropFirst()))
    var fingerprint = Fingerprint(contents.shape)
    fingerprint.add(contents.labels)
    self.fingerprint = fingerprint.value
  }

  /// Whether a file has test images.
  /// - Throws: `DatasetError`.
  package static func testsAreIn(_ path: String) throws -> Bool {
    try ForeignReader.askOnce(PresenceQuestion(path: path, dataset: "test/images"), path)
  }

  package var contentMark: UInt64 { Fingerprint.of([fingerprint, modificationMark(contents.path)]) }

  package func label(of index: Int) -> Int? { contents.labels.isEmpty ? nil : Int(contents.labels[index]) }

  package func copyBytes(of index: Int, into target: ByteTensor) throws {
    let damaged = try copyBytes(
      of: index..<index + 1, into: target.reshaped([1] + imageShape), workers: .callingThread)
    if let first = damaged.first { throw first.error }
  }

  package func copyBytes(
    of images: Range<Int>, into target: ByteTensor, workers: WorkerPool
  ) throws -> [DamagedImage] {
    let elements = images.lowerBound * elementsPerImage..<images.upperBound * elementsPerImage
    let values = target.reshaped([elements.count])
    for start in stride(from: elements.lowerBound, to: elements.upperBound, by: Self.pieceSize) {
      let piece = start..<min(start + Self.pieceSize, elements.upperBound)
      let answer = try DatasetError.naming(contents.path) {
        try reader.ask(ImageValuesQuestion(path: contents.path, dataset: contents.dataset, range: piece))
      }
      values[start - elements.lowerBound..<piece.upperBound - elements.lowerBound].copy(answer)
    }
    if contents.checksums.isEmpty { return [] }
    return images.compactMap { index in
      let checksum = target[image: index - images.lowerBound].withUnsafeBytes { crc32($0) }
      if Int64(checksum) == contents.checksums[index] { return nil }
      return DamagedImage(index: index, error: DatasetError(damaged: "\(contents.dataset)[\(index)]", contents.path))
    }
  }
}
