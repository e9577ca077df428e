import Synchronization
import Tensors

/// Images of one size, with bytes 0 … 255 as their values, numbered from 0.
package protocol ImageDataset: Sendable {
  /// The data set's name, such as `fashion-mnist`.
  var name: String { get }
  /// The number of images.
  var count: Int { get }
  /// [H, W, C], with C = 1 for grey and 3 for red, green, blue.
  var imageShape: [Int] { get }
  /// The names of the classes, in the order of labels.
  var classNames: [String] { get }
  /// Whether mirrored images (left and right swapped) would be valid images of this data set.
  var allowsFlips: Bool { get }
  /// A hash of contents and geometry, or of a substitute for the contents; ranks compare it to make sure that they have
  /// the same data.
  var fingerprint: UInt64 { get }
  /// A hash that changes whenever the contents may have changed: the fingerprint if it covers the contents, otherwise
  /// combined with the files' modification times.
  var contentMark: UInt64 { get }
  /// Whether images are read from files each time, which may be slow and may fail; otherwise they are in memory.
  var readsFiles: Bool { get }
  /// Which of its files were left out, for a summary.
  var remarks: [String] { get }

  /// The class of an image, an index in `classNames`; nil if the data set has no classes.
  func label(of index: Int) -> Int?

  /// Overwrites `target`, [H, W, C], with the values of an image. Several threads may call it at once.
  /// - Throws: `DatasetError` if it cannot be read; never if the images are in memory.
  func copyBytes(of index: Int, into target: ByteTensor) throws

  /// Overwrites `target`, [images.count, H, W, C], with the values of consecutive images.
  /// - Returns: the images that could not be read, whose values are undefined.
  /// - Throws: errors that concern more than single images.
  func copyBytes(
    of images: Range<Int>, into target: ByteTensor, workers: WorkerPool
  ) throws -> [DamagedImage]
}

/// An image that could not be read, and why.
package struct DamagedImage: Sendable, Equatable {
  package var index: Int
  package var error: DatasetError

  package init(index: Int, error: DatasetError) {
    self.index = index
    self.error = error
  }
}

extension ImageDataset {
  package var readsFiles: Bool { false }
  package var contentMark: UInt64 { fingerprint }
  package var remarks: [String] { [] }

  package func copyBytes(
    of images: Range<Int>, into target: ByteTensor, workers: WorkerPool
  ) throws -> [DamagedImage] {
    let damaged = Mutex<[DamagedImage]>([])
    try workers.forEachTrying(images.count) { offset in
      do {
        try copyBytes(of: images.lowerBound + offset, into: target[image: offset])
      } catch let error as DatasetError {
        damaged.withLock { $0.append(DamagedImage(index: images.lowerBound + offset, error: error)) }
      }
    }
    return damaged.withLock { $0.sorted { $0.index < $1.index } }
  }

  package var height: Int { imageShape[0] }
  package var width: Int { imageShape[1] }
  package var channels: Int { imageShape[2] }

  /// H · W · C.
  package var elementsPerImage: Int { imageShape.reduce(1, *) }

  /// The values of an image, [H, W, C].
  /// - Throws: `DatasetError` if it cannot be read.
  package func bytes(of index: Int) throws -> ByteTensor {
    let bytes = ByteTensor(uninitialised: imageShape)
    try copyBytes(of: index, into: bytes)
    return bytes
  }

  /// Overwrites an image of `target`, [N, H, W, C], with an image as floats in [−1, 1], value / 127.5 − 1.
  /// - Parameters:
  ///   - position: which of the N images; by default the first.
  ///   - flipped: whether left and right are swapped.
  /// - Throws: `DatasetError` if it cannot be read.
  package func copyImage(_ index: Int, into target: Tensor, at position: Int = 0, flipped: Bool) throws {
    scale(try bytes(of: index), image: 0, into: target, at: position, flipped: flipped)
  }

  /// Converts an image's bytes to floats in [−1, 1], value / 127.5 − 1: image `image` of `bytes` to image `position` of
  /// `target`, both [N, H, W, C].
  func scale(_ bytes: ByteTensor, image: Int, into target: Tensor, at position: Int, flipped: Bool) {
    let (size, width, height, channels) = (elementsPerImage, self.width, self.height, self.channels)
    verify(bytes.count.isMultiple(of: size) && target.count.isMultiple(of: size), "images of \(imageShape)")
    let (source, start) = (image * size, position * size)
    for row in 0..<height {
      for column in 0..<width {
        let from = source + (row * width + (flipped ? width - 1 - column : column)) * channels
        let to = start + (row * width + column) * channels
        for channel in 0..<channels { target[to + channel] = Float(bytes[from + channel]) / 127.5 - 1 }
      }
    }
  }
}
