import Files
import Images
import MessagePassing
import Ranks

/// A folder of PNG files, `000000.png` and so on, or of folders with the sampling process of each image,
/// `000000/0000.png` and so on, in the form that video tools expect.
final class PictureFolder {
  private let folder: SharedOutputFolder
  private let drawn: DrawnSet
  private let frameCount: Int?

  /// Collective.
  /// - Parameters:
  ///   - path: a folder that does not exist or is empty.
  ///   - drawn: the images, whose numbers are used as names.
  ///   - frameCount: the number of pictures of each image; nil for the image only.
  /// - Throws: `JobFailure` on all ranks.
  init(_ path: String, _ drawn: DrawnSet, frameCount: Int?, communicator: Communicator) throws {
    self.drawn = drawn
    self.frameCount = frameCount
    folder = try SharedOutputFolder(path, communicator: communicator)
  }

  /// Writes one picture for each of some images.
  /// - Parameters:
  ///   - numbers: of the images.
  ///   - image: returns the picture of one of them, counted from the first.
  /// - Throws: `ImageError`, `FileError`, and the errors of `image`.
  func add(_ numbers: Range<Int>, picture: Int, image: (_ row: Int) throws -> Image) throws {
    for (row, number) in numbers.enumerated() {
      var path = "\(folder.temporaryPath)/\(drawn.name(of: number))"
      if let frameCount {
        try makeFolder(at: path)
        path += "/\(padded(picture, like: max(frameCount - 1, 9999)))"
      }
      try PNG.write(try image(row), inPlace: path + ".png")
    }
  }

  /// Collective.
  func publish() throws { try folder.publish() }
}
