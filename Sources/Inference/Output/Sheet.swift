import Images
import MessagePassing

/// The first images of all ranks for a sheet, or the ways to them, each in a row.
struct Sheet {
  /// Images, of which a sheet has as many as it can.
  let count: Int
  private let imageShape: [Int]
  private let columns: Int
  /// Pictures of each image.
  private let pictureCount: Int
  /// This rank's pictures, image by image.
  private var bytes: [UInt8] = []
  /// This rank's first image.
  private var first = 0

  private var size: Int { imageShape.reduce(1, *) }

  /// - Parameters:
  ///   - count: of all images.
  ///   - columns: by default so many that it is about as wide as high.
  ///   - frameCount: pictures of the way to each image, one row; nil if there is only the image.
  init(count: Int, imageShape: [Int], columns: Int?, frameCount: Int?) {
    let capacity = ImageGrid.capacity(height: imageShape[0], width: imageShape[1])
    pictureCount = frameCount ?? 1
    self.count = min(count, max(1, capacity / pictureCount))
    self.imageShape = imageShape
    self.columns = frameCount ?? columns ?? Int(Double(self.count).squareRoot().rounded(.up))
  }

  /// Adds one picture of each of some images, the first of a batch before the others.
  mutating func add(_ pictures: [UInt8], at rows: Range<Int>, picture: Int) {
    let kept = rows.clamped(to: 0..<count)
    guard !kept.isEmpty else { return }
    if bytes.isEmpty { first = kept.lowerBound }
    let end = (kept.upperBound - first) * pictureCount * size
    if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
    for (row, number) in kept.enumerated() {
      let start = ((number - first) * pictureCount + picture) * size
      bytes.replaceSubrange(start..<start + size, with: pictures[row * size..<(row + 1) * size])
    }
  }

  /// All pictures on rank 0, nil elsewhere. Collective.
  func gather(over communicator: Communicator) throws -> [UInt8]? { try communicator.gather(bytes, to: 0) }

  func image(_ bytes: [UInt8]) -> Image {
    ImageGrid.arrange(
      bytes, count: count * pictureCount, height: imageShape[0], width: imageShape[1], channels: imageShape[2],
      columns: columns)
  }
}
