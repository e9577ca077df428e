import Datasets
import Tensors

/// The contents of a file of packed images, and the damaged ones among them.
package struct PackedFileInspection: Sendable {
  package struct Part: Sendable {
    /// The dataset: `images` or `test/images`.
    package let name: String
    package let count: Int
    package let damaged: [DamagedImage]
  }

  package let name: String
  /// [H, W, C].
  package let imageShape: [Int]
  package let classNames: [String]
  package let parts: [Part]

  /// Reads every image and verifies its checksum.
  /// - Throws: `DatasetError` if the file cannot be used for training.
  package init(path: String) throws {
    let training = try PackedImages(path: path)
    (name, imageShape, classNames) = (training.name, training.imageShape, training.classNames)
    var parts = [Part(name: "images", count: training.count, damaged: try Self.damaged(training))]
    if try PackedImages.testsAreIn(path) {
      let test = try PackedImages(path: path, split: .test)
      parts.append(Part(name: "test/images", count: test.count, damaged: try Self.damaged(test)))
    }
    self.parts = parts
  }

  private static func damaged(_ images: PackedImages) throws -> [DamagedImage] {
    let bytes = ByteTensor(uninitialised: [1] + images.imageShape)
    return try (0..<images.count).flatMap { index in
      try images.copyBytes(of: index..<index + 1, into: bytes, workers: .callingThread)
    }
  }
}
