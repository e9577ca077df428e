import Compression
import Files
import ForeignFiles
import HDF5
import Tensors

/// Images in an HDF5 file, read one by one on demand; the labels and checksums are in memory.
///
/// The file has the dataset `images`, uint8 [N, H, W, C], stored contiguously; `crc32`, uint32 [N], the CRC-32 (that of
/// zlib) of each image's bytes, which is checked on every read; and, if there are classes, `labels`, integers [N],
/// indices in the root's attribute `class_names`. The group `test` may contain the same for test images. Further
/// attributes of the root are `name`, `allows_flips` (0 or 1) and `complete`, which is 1 in a file that was completely
/// written. A `FileSeal` covers everything but the images; it is verified before libhdf5 opens the file.
///
/// Once it is open, libhdf5, which is not thread-safe, is no longer used.
package struct PackedImages: ImageDataset {
  package let name: String
  package let count: Int
  package let imageShape: [Int]
  package let classNames: [String]
  package let allowsFlips: Bool
  /// Computed from the labels and checksums, not from the images themselves.
  package let fingerprint: UInt64
  package let readsFiles = true
  private let file: OpenedFile
  /// The offset of the first image.
  private let offset: Int
  private let labels: [Int32]
  private let checksums: [UInt32]
  /// The dataset's name in messages.
  private let datasetName: String

  /// Opens a file. Only the thread that calls libhdf5 may call this.
  /// - Throws: `DatasetError`.
  package init(path: String, split: DatasetSplit = .training) throws {
    do { try FileSeal.verify(path) } catch { throw DatasetError(error, path) }
    let contents = try HDF5ImageContents.read(path, split: split)
    let shape = contents.shape
    (count, imageShape) = (shape[0], Array(shape.dropFirst()))
    name = contents.name
    classNames = contents.classNames
    allowsFlips = contents.allowsFlips
    labels = contents.labels.map(Int32.init)
    datasetName = contents.dataset
    (offset, checksums) = try contents.requirePacked()
    do { file = try OpenedFile(RegularFile(path)) } catch { throw DatasetError(error, path) }
    var fingerprint = Fingerprint(shape + [allowsFlips ? 1 : 0, classNames.count])
    for name in classNames { fingerprint.add(name) }
    fingerprint.add(labels)
    fingerprint.add(checksums)
    self.fingerprint = fingerprint.value
  }

  /// Whether a file is an HDF5 file of images, in any state; false if it cannot be read at all.
  package static func areIn(_ path: String) -> Bool {
    let question = PresenceQuestion(path: path, dataset: "images")
    guard let isSealed = try? FileSeal.isOn(path) else { return false }
    let answer = isSealed ? try? question.answer() : try? ForeignReader.askOnce(question, path)
    return answer ?? false
  }

  /// Whether a file that training can read has test images.
  package static func testsAreIn(_ path: String) throws -> Bool {
    do { try FileSeal.verify(path) } catch { throw DatasetError(error, path) }
    return try PresenceQuestion(path: path, dataset: "test/images").answer()
  }

  package func label(of index: Int) -> Int? { labels.isEmpty ? nil : Int(labels[index]) }

  package func copyBytes(of index: Int, into target: ByteTensor) throws {
    precondition((0..<count).contains(index), "there is no image \(index) among \(count)")
    let received: Int
    do {
      received = try file.read(at: offset + index * elementsPerImage, into: target)
    } catch {
      throw DatasetError(
        .unreadable, file.path, "\(datasetName)[\(index)] cannot be read: \(error.reason)",
        advice: "check the file system, and start again with --resume")
    }
    guard received == target.count else {
      throw DatasetError(.truncated, file.path, "it ends before the end of \(datasetName)[\(index)]")
    }
    guard target.withUnsafeBytes({ crc32($0) }) == checksums[index] else {
      throw DatasetError(damaged: "\(datasetName)[\(index)]", file.path)
    }
  }
}

extension DatasetError {
  /// An image whose bytes do not match its checksum.
  init(damaged image: String, _ path: String) {
    self.init(
      .damaged, path, "\(image) is damaged: its checksum does not match",
      advice: "fetch the file again, or skip such images with `ddpm-mpi pack … --skip-damaged`")
  }
}
