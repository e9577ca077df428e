import Failures
import Files
import HDF5
import Images
import MessagePassing
import Ranks
import Tensors

/// The outputs for images, in all formats.
package struct ImageOutputs: Sendable {
  /// An HDF5 file.
  package var file: String?
  /// Whether the file also contains the images before they are converted to bytes.
  package var writesFloats: Bool
  /// A PNG file with the first images on a sheet; with `every`, each row shows the steps towards one image.
  package var grid: String?
  /// A folder of PNG files, `000000.png` and so on; with `every`, one folder per image: `000000/0000.png` and so on.
  package var images: String?
  /// The number of steps between two pictures of the sampling process.
  package var every: Int?

  package init(
    file: String? = nil, grid: String? = nil, images: String? = nil, every: Int? = nil, writesFloats: Bool = false
  ) {
    self.file = file
    self.grid = grid
    self.images = images
    self.every = every
    self.writesFloats = writesFloats
  }

  /// The output files, with their options.
  package var files: [NamedFile] { NamedFile.list(("--output", file), ("--grid", grid)) }

  /// The output folders, with their options.
  package var folders: [NamedFile] { NamedFile.list(("--images", images)) }

  /// The outputs in a message.
  var description: String { [file, grid, images].compactMap(\.self).joined(separator: " and ") }
}

/// Writes images batch by batch: all ranks write into one HDF5 file, and the first images are shown on a sheet.
final class ImageWriter: DrawnWriter {
  /// The contents of the HDF5 file besides the dataset `images`, uint8 [N, H, W, C].
  struct Contents: OptionSet {
    let rawValue: Int
    /// The images before they are converted to bytes, float32.
    static let samples = Contents(rawValue: 1)
    /// float32.
    static let latents = Contents(rawValue: 2)
    /// int64 [N], −1 for none.
    static let labels = Contents(rawValue: 4)
  }

  /// The datasets of the file.
  private struct Locations: Codable {
    let images: DatasetLocation
    let samples: DatasetLocation?
    let latents: DatasetLocation?
    let labels: DatasetLocation?

    /// Creates the datasets.
    init(in file: borrowing HDF5File, _ contents: Contents, count: Int, imageShape: [Int]) throws(HDF5Error) {
      let shape = [count] + imageShape
      images = try file.createDataset("images", shape: shape, type: .uint8).location()
      samples = try contents.contains(.samples) ? Self.floats("samples", shape, in: file) : nil
      latents = try contents.contains(.latents) ? Self.floats("latents", shape, in: file) : nil
      labels =
        try contents.contains(.labels) ? file.createDataset("labels", shape: [count], type: .int64).location() : nil
    }

    private static func floats(
      _ name: String, _ shape: [Int], in file: borrowing HDF5File
    ) throws(HDF5Error) -> DatasetLocation {
      try file.createDataset(name, shape: shape, type: .float32).location()
    }
  }

  private let outputs: ImageOutputs
  private let imageShape: [Int]
  /// The number of the first image.
  private let first: Int
  private let communicator: Communicator
  private let frameCount: Int?
  private let output: SharedOutput?
  private let folder: PictureFolder?
  private let locations: Locations?
  private var sheet: Sheet?

  /// Collective.
  /// - Parameters:
  ///   - drawn: the images of all ranks.
  ///   - imageShape: [H, W, C].
  ///   - columns: the columns of the sheet; by default a row has the members of a condition, or, if an image is one by
  ///     itself, the sheet is about square.
  ///   - frameCount: the number of pictures of the sampling process of each image; nil for the final image only.
  /// - Throws: `JobFailure` on all ranks.
  init(
    _ outputs: ImageOutputs, _ drawn: DrawnSet, imageShape: [Int], contents: Contents, columns: Int? = nil,
    frameCount: Int? = nil, communicator: Communicator
  ) throws {
    self.outputs = outputs
    self.imageShape = imageShape
    let count = drawn.numbers.count
    first = drawn.numbers.lowerBound
    self.communicator = communicator
    self.frameCount = frameCount
    let capacity = ImageGrid.capacity(height: imageShape[0], width: imageShape[1])
    let members = drawn.members.flatMap { $0 > 1 && $0 <= capacity ? $0 : nil }
    sheet = outputs.grid.map { _ in
      Sheet(count: count, imageShape: imageShape, columns: columns ?? members, frameCount: frameCount)
    }
    folder = try outputs.images.map {
      try PictureFolder($0, drawn, frameCount: frameCount, communicator: communicator)
    }
    guard let path = outputs.file else {
      output = nil
      locations = nil
      return
    }
    let elements = try Self.elementCount(count, imageShape)
    let floats = [Contents.samples, .latents].count { contents.contains($0) }
    let shared = try SharedOutput(
      path, byteCount: elements * (1 + 4 * floats) + (contents.contains(.labels) ? 8 * count : 0) + 1 << 16,
      communicator: communicator)
    output = shared
    locations = try shared.define { file in try Locations(in: file, contents, count: count, imageShape: imageShape) }
  }

  /// - Throws: `InputError` if the file would be too large.
  static func elementCount(_ count: Int, _ imageShape: [Int]) throws(InputError) -> Int {
    let (elements, overflows) = count.multipliedReportingOverflow(by: imageShape.reduce(1, *))
    // At most nine bytes per element, and a little more per image.
    guard !overflows, elements < 1 << 58 else { throw InputError("\(count) images are more than a file can hold") }
    return elements
  }

  func write(_ batch: ImageBatch) throws {
    let bytes = quantise(batch.images)
    let size = imageShape.reduce(1, *)
    let rows = batch.numbers.moved(by: -first)
    let range = rows.lowerBound * size..<rows.upperBound * size
    if let output, let locations {
      try output.write(range, of: locations.images, from: ByteTensor(bytes, shape: [bytes.count]))
      if let samples = locations.samples { try output.write(range, of: samples, from: batch.images) }
      if let latents = locations.latents { try output.write(range, of: latents, from: batch.latents) }
      if let labels = locations.labels {
        let values = batch.labels.map { Int64($0 ?? -1) }
        try output.write(rows, of: labels, from: TypedTensor(values, shape: [values.count]))
      }
    }
    if frameCount == nil { try writePictures(bytes, batch.numbers, picture: 0) }
  }

  func writeTrajectory(_ images: Tensor, _ numbers: Range<Int>, picture: Int) throws {
    try writePictures(quantise(images), numbers, picture: picture)
  }

  private func writePictures(_ bytes: [UInt8], _ numbers: Range<Int>, picture: Int) throws {
    sheet?.add(bytes, at: numbers.moved(by: -first), picture: picture)
    let size = imageShape.reduce(1, *)
    try folder?.add(numbers, picture: picture) { row in
      Image(
        width: imageShape[1], height: imageShape[0], channels: imageShape[2],
        pixels: Array(bytes[row * size..<(row + 1) * size]))
    }
  }

  func publish(describe: (borrowing HDF5File) throws -> Void) throws {
    let pixels = try sheet?.gather(over: communicator)
    let grid = pixels.flatMap { sheet?.image($0) }
    try folder?.publish()
    try output?.publish(describe: describe)
    try communicator.together {
      if let grid, let path = outputs.grid { try PNG.write(grid, to: path) }
    }
  }

  func abandon() { output?.abandon() }
}
