import Files
import Images
import MessagePassing
import Ranks

/// A folder of PNG files, `000000.png` and so on, or of folders with the ways to images, `000000/0000.png` and so on,
/// as programs that make films of them want it.
final class PictureFolder {
  private let folder: SharedOutputFolder
  private let numbers: Range<Int>
  private let imageShape: [Int]
  private let frameCount: Int?

  /// Collective.
  /// - Parameters:
  ///   - path: a folder that is not there, or empty.
  ///   - numbers: of the images, by which they are called.
  ///   - frameCount: pictures of each; nil if there is only the image.
  /// - Throws: `JobFailure` on all ranks.
  init(_ path: String, numbers: Range<Int>, imageShape: [Int], frameCount: Int?, communicator: Communicator) throws {
    self.numbers = numbers
    self.imageShape = imageShape
    self.frameCount = frameCount
    folder = try SharedOutputFolder(path, communicator: communicator)
  }

  /// Writes one picture of each of some images.
  /// - Throws: `ImageError`, `FileError`.
  func add(_ pictures: [UInt8], at rows: Range<Int>, picture: Int) throws {
    let size = imageShape.reduce(1, *)
    for (row, number) in rows.enumerated() {
      // So many digits that names sort, and are the same whichever of less than a million images are drawn.
      var path =
        "\(folder.temporaryPath)/\(padded(numbers.lowerBound + number, like: max(numbers.upperBound - 1, 999_999)))"
      if let frameCount {
        try makeFolder(at: path)
        path += "/\(padded(picture, like: max(frameCount - 1, 9999)))"
      }
      let image = Image(
        width: imageShape[1], height: imageShape[0], channels: imageShape[2],
        pixels: Array(pictures[row * size..<(row + 1) * size]))
      try PNG.write(image, inPlace: path + ".png")
    }
  }

  /// Collective.
  func publish() throws { try folder.publish() }

  private func padded(_ number: Int, like largest: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: String(largest).count - digits.count) + digits
  }
}
