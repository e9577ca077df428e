import Failures
import Files
import HDF5
import Images
import MessagePassing
import Ranks
import Tensors

/// Where images go, in whatever forms.
public struct ImageOutputs: Sendable {
  /// An HDF5 file.
  public var file: String?
  /// Whether the file receives images before they are made bytes, too.
  public var writesFloats: Bool
  /// A PNG file with the first images on a sheet; with `every`, a row of the way to each.
  public var grid: String?
  /// A folder of PNG files, `000000.png` and so on; with `every`, a folder for each image: `000000/0000.png` and so on.
  public var images: String?
  /// After how many steps each picture of the way to an image follows the one before.
  public var every: Int?

  public init(
    file: String? = nil, grid: String? = nil, images: String? = nil, every: Int? = nil, writesFloats: Bool = false
  ) {
    self.file = file
    self.grid = grid
    self.images = images
    self.every = every
    self.writesFloats = writesFloats
  }

  /// The options that the files are named by.
  public var files: [NamedFile] { NamedFile.list(("--output", file), ("--grid", grid)) }

  /// The folders.
  public var folders: [NamedFile] { NamedFile.list(("--images", images)) }

  /// What a message calls them.
  var description: String { [file, grid, images].compactMap(\.self).joined(separator: " and ") }
}

/// Images of one batch, on their way to the outputs.
struct ImageBatch {
  /// Which of all images of the command these are, from 0.
  let rows: Range<Int>
  /// About in [−1, 1], [places.count, H, W, C].
  let images: Tensor
  var latents: Tensor?
  var labels: [Int?]?
}

/// Writes images as they are made, batch by batch, so that there may be any number of them: all ranks into one HDF5 file,
/// which appears whole or not at all, and the first on a sheet.
final class ImageWriter {
  /// What the HDF5 file has besides the dataset `images`, uint8 [N, H, W, C].
  struct Contents: OptionSet {
    let rawValue: Int
    /// The images before they are made bytes, float32.
    static let samples = Contents(rawValue: 1)
    /// float32.
    static let latents = Contents(rawValue: 2)
    /// int64 [N], −1 for none.
    static let labels = Contents(rawValue: 4)
  }

  private let outputs: ImageOutputs
  private let imageShape: [Int]
  private let communicator: Communicator
  private let frameCount: Int?
  private let output: SharedOutput?
  private let folder: PictureFolder?
  private var images: HDF5Dataset?
  private var samples: HDF5Dataset?
  private var latents: HDF5Dataset?
  private var labels: HDF5Dataset?
  private var sheet: Sheet?

  /// Collective.
  /// - Parameters:
  ///   - count: images of all ranks.
  ///   - imageShape: [H, W, C].
  ///   - columns: of the sheet; by default so many that it is about as wide as high.
  ///   - frameCount: of how many pictures the way to each image consists; nil if only its end is wanted.
  ///   - first: what the number of the first image is, by which files are named.
  /// - Throws: `JobFailure` on all ranks.
  init(
    _ outputs: ImageOutputs, count: Int, imageShape: [Int], contents: Contents, columns: Int? = nil,
    frameCount: Int? = nil,
    first: Int = 0, communicator: Communicator
  ) throws {
    self.outputs = outputs
    self.imageShape = imageShape
    self.communicator = communicator
    self.frameCount = frameCount
    sheet = outputs.grid.map { _ in
      Sheet(count: count, imageShape: imageShape, columns: columns, frameCount: frameCount)
    }
    folder = try outputs.images.map {
      try PictureFolder(
        $0, numbers: first..<first + count, imageShape: imageShape, frameCount: frameCount, communicator: communicator)
    }
    guard let path = outputs.file else {
      output = nil
      return
    }
    let elements = try Self.elementCount(count, imageShape)
    let floats = [Contents.samples, .latents].count { contents.contains($0) }
    output = try SharedOutput(
      path, byteCount: elements * (1 + 4 * floats) + (contents.contains(.labels) ? 8 * count : 0) + 1 << 16,
      communicator: communicator)
    images = try dataset("images", [count] + imageShape, .uint8)
    if contents.contains(.samples) { samples = try dataset("samples", [count] + imageShape, .float32) }
    if contents.contains(.latents) { latents = try dataset("latents", [count] + imageShape, .float32) }
    if contents.contains(.labels) { labels = try dataset("labels", [count], .int64) }
  }

  /// - Throws: `InputError` for more than a file can hold.
  static func elementCount(_ count: Int, _ imageShape: [Int]) throws(InputError) -> Int {
    let (elements, overflows) = count.multipliedReportingOverflow(by: imageShape.reduce(1, *))
    // Nine bytes for each element at most, and some more for each image.
    guard !overflows, elements < 1 << 58 else { throw InputError("\(count) images are more than a file can hold") }
    return elements
  }

  private func dataset(_ name: String, _ shape: [Int], _ type: ElementType) throws -> HDF5Dataset? {
    try output?.file?.createDataset(name, shape: shape, type: type)
  }

  /// Writes images of this rank, which gives them in order. The others need not do so at the same time.
  /// - Throws: `HDF5Error`.
  func write(_ batch: ImageBatch) throws {
    let bytes = quantise(batch.images)
    let size = imageShape.reduce(1, *)
    let range = batch.rows.lowerBound * size..<batch.rows.upperBound * size
    try bytes.withUnsafeBytes { try images?.write(flatRange: range, from: $0.baseAddress) }
    try samples?.write(flatRange: range, from: batch.images)
    if let values = batch.latents { try latents?.write(flatRange: range, from: values) }
    if let values = batch.labels {
      try values.map { Int64($0 ?? -1) }.withUnsafeBytes {
        try labels?.write(flatRange: batch.rows, from: $0.baseAddress)
      }
    }
    if frameCount == nil { try writePictures(bytes, batch.rows, picture: 0) }
  }

  /// Writes pictures of the way to images of this rank, one of each: the first, then the next, until the way is whole.
  /// The last are the images themselves.
  /// - Throws: `ImageError`.
  func writeTrajectory(_ images: Tensor, _ rows: Range<Int>, picture: Int) throws {
    try writePictures(quantise(images), rows, picture: picture)
  }

  private func writePictures(_ bytes: [UInt8], _ rows: Range<Int>, picture: Int) throws {
    sheet?.add(bytes, at: rows, picture: picture)
    try folder?.add(bytes, at: rows, picture: picture)
  }

  /// Has `body` write all images, and publishes the outputs. Collective.
  /// - Parameters:
  ///   - body: writes this rank's images; its errors are known to all ranks.
  ///   - describe: what the file's attributes say, by what `body` has returned.
  func write<Result>(
    _ body: (ImageWriter) throws -> Result, describe: (borrowing HDF5File, Result) throws -> Void
  ) throws -> Result {
    let result: Result
    do { result = try body(self) } catch {
      // In good order where all ranks are here.
      if (error as? any JobEndingError)?.isKnownToAllRanks == true {
        try? closeDatasets()
        output?.abandon()
      }
      throw error
    }
    try closeDatasets()
    try output?.with { try describe($0, result) }
    let pixels = try sheet?.gather(over: communicator)
    let grid = pixels.flatMap { sheet?.image($0) }
    try folder?.publish()
    try output?.publish()
    try communicator.together {
      if let grid, let path = outputs.grid { try PNG.write(grid, to: path) }
    }
    return result
  }

  private func closeDatasets() throws {
    try images.take()?.close()
    try samples.take()?.close()
    try latents.take()?.close()
    try labels.take()?.close()
  }
}

extension HDF5Dataset {
  /// Writes a tensor's elements, which are there until they are written whoever else has the tensor.
  fileprivate borrowing func write(flatRange: Range<Int>, from tensor: Tensor) throws(HDF5Error) {
    defer { withExtendedLifetime(tensor) {} }
    try write(flatRange: flatRange, from: tensor.pointer)
  }
}
