import Synchronization
import Tensors

/// Images of one size, with bytes 0 … 255 as their values. Networks take value / 127.5 − 1, in [−1, 1]; C is 1 for grey and
/// 3 for red, green, blue.
package protocol ImageDataset: Dataset {
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

/// A byte of an image as networks take it, in [−1, 1].
@inlinable
package func networkValue(of byte: UInt8) -> Float { Float(byte) / 127.5 - 1 }

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
  package var images: (any ImageDataset)? { self }

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

  /// The values of an image, [H, W, C].
  /// - Throws: `DatasetError` if it cannot be read.
  package func bytes(of index: Int) throws -> ByteTensor {
    let bytes = ByteTensor(uninitialised: imageShape)
    try copyBytes(of: index, into: bytes)
    return bytes
  }

  package func copyValues(of index: Int, into target: Tensor, at position: Int, flipped: Bool) throws {
    let bytes = try bytes(of: index)
    let (start, width, height, channels) = (position * elementsPerImage, self.width, self.height, self.channels)
    for row in 0..<height {
      for column in 0..<width {
        let from = (row * width + (flipped ? width - 1 - column : column)) * channels
        let to = start + (row * width + column) * channels
        for channel in 0..<channels { target[to + channel] = networkValue(of: bytes[from + channel]) }
      }
    }
  }
}
