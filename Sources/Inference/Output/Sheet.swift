import Images
import MessagePassing

/// The first images of all ranks for a sheet, or pictures of their sampling processes, one per row.
struct Sheet {
  /// The number of images, as many as a sheet can hold.
  let count: Int
  private let imageShape: [Int]
  /// nil for a sheet that is about square.
  private let columns: Int?
  /// The number of pictures of each image.
  private let pictureCount: Int
  /// This rank's pictures, image by image.
  private var bytes: [UInt8] = []
  /// The index of this rank's first image.
  private var first = 0

  private var size: Int { imageShape.reduce(1, *) }

  /// - Parameters:
  ///   - count: the number of all images.
  ///   - columns: by default the sheet is about square.
  ///   - frameCount: the number of pictures of each image's sampling process, one row; nil for the image only.
  init(count: Int, imageShape: [Int], columns: Int?, frameCount: Int?) {
    let capacity = ImageGrid.capacity(height: imageShape[0], width: imageShape[1])
    pictureCount = frameCount ?? 1
    self.count = min(count, max(1, capacity / pictureCount))
    self.imageShape = imageShape
    self.columns = frameCount ?? columns
  }

  /// Adds one picture for each of some images, which must be a batch in order.
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

  /// All pictures on rank 0, nil on other ranks. Collective.
  func gather(over communicator: Communicator) throws -> [UInt8]? { try communicator.gather(bytes, to: 0) }

  func image(_ bytes: [UInt8]) -> Image {
    ImageGrid.arrange(
      bytes, count: count * pictureCount, height: imageShape[0], width: imageShape[1], channels: imageShape[2],
      columns: columns)
  }
}
