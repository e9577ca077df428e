import Files
import Images
import MessagePassing
import Ranks

/// A folder of PNG files, `000000.png` and so on, or of folders with the sampling process of each image,
/// `000000/0000.png` and so on, in the form that video tools expect.
final class PictureFolder {
  private let folder: SharedOutputFolder
  private let numbers: Range<Int>
  private let imageShape: [Int]
  private let frameCount: Int?

  /// Collective.
  /// - Parameters:
  ///   - path: a folder that does not exist or is empty.
  ///   - numbers: the images' indices, used as names.
  ///   - frameCount: the number of pictures of each image; nil for the image only.
  /// - Throws: `JobFailure` on all ranks.
  init(_ path: String, numbers: Range<Int>, imageShape: [Int], frameCount: Int?, communicator: Communicator) throws {
    self.numbers = numbers
    self.imageShape = imageShape
    self.frameCount = frameCount
    folder = try SharedOutputFolder(path, communicator: communicator)
  }

  /// Writes one picture for each of some images.
  /// - Throws: `ImageError`, `FileError`.
  func add(_ pictures: [UInt8], at rows: Range<Int>, picture: Int) throws {
    let size = imageShape.reduce(1, *)
    for (row, number) in rows.enumerated() {
      // Enough digits for names to sort, and the same for any range below a million images.
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
