import Datasets
import Diffusion
import Failures
import Files
import Tensors

/// Measured images: one file, a folder of files, or an HDF5 file.
struct MeasuredPictures: MeasuredFile {
  let count: Int
  private let images: any ImageDataset
  /// The channels of the file that were measured, in order.
  private let channels: [Int]

  /// - Parameters:
  ///   - path: the file given with `--measured`, which messages name.
  ///   - shape: [h, w, c] of a measurement.
  ///   - channels: the channels of whole images that were measured, if they are channels of images; a file has them alone,
  ///     or all of them.
  ///   - imageShape: [H, W, C] of whole images.
  ///   - fitting: how image files are read.
  /// - Throws: `InputError`, `DatasetError`.
  init(
    _ path: String, shape: [Int], choosing channels: [Int], of imageShape: [Int], fitting: FolderImages.Fitting
  ) throws {
    images = try Self.withOwnRemedies { try Self.images(path, fitting) }
    count = images.count
    let found = images.imageShape
    let isWhole = found[2] == imageShape[2] && !channels.isEmpty
    guard found[0] == shape[0], found[1] == shape[1], isWhole || found[2] == shape[2] else {
      throw InputError(
        "--measured \(path): its images are \(Self.text(found)), but what is measured of the model's images is "
          + Self.text(shape) + (found == imageShape ? "; to measure these whole images first, add --simulate" : ""))
    }
    self.channels = isWhole ? channels : Array(0..<shape[2])
  }

  private static func text(_ shape: [Int]) -> String {
    "\(shape[0])x\(shape[1]) with \(shape[2]) channel\(shape[2] == 1 ? "" : "s")"
  }

  private static func images(_ path: String, _ fitting: FolderImages.Fitting) throws -> any ImageDataset {
    // A picture whose very beginning is damaged is one by its name alone.
    let isPicture = ImageFolder.isImage(path) || ImageFolder.hasNameOfImage(path) && fileExists(path)
    if isPicture { return try StoredImages(file: path, fitting: fitting) }
    guard case .images(let images) = try ImageSet(path, fitting: fitting) else {
      throw InputError("--measured \(path): it has statistics, not images")
    }
    return images
  }

  /// Calls `body`.
  /// - Throws: the errors of `body`; `InputError` in place of a `DatasetError`, whose advice may be options that
  ///   `restore` does not have.
  private static func withOwnRemedies<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as DatasetError {
      throw InputError("--measured \(error.location): \(error.problem); \(remedy(for: error))")
    }
  }

  private static func remedy(for error: DatasetError) -> String {
    guard error.advice.contains("--") else { return error.advice }
    return switch error.kind {
    case .transparent: "write it without transparency, on a background of your choice"
    case .damaged, .unreadable, .truncated: "replace the file, or leave it out"
    case .tooLarge: "give smaller images"
    default: "give a PNG or JPEG file, a folder of them, all alike, or an HDF5 file with `images`"
    }
  }

  func read(_ numbers: Range<Int>) throws -> MeasuredSamples {
    let pixels = images.height * images.width
    var elements: [Double] = []
    elements.reserveCapacity(numbers.count * pixels * channels.count)
    for number in numbers {
      let bytes = try Self.withOwnRemedies { try images.bytes(of: number) }
      for pixel in 0..<pixels {
        for channel in channels { elements.append(Double(bytes[pixel * images.channels + channel]) / 127.5 - 1) }
      }
    }
    return MeasuredSamples(
      values: DoubleTensor(elements, shape: [numbers.count, images.height, images.width, channels.count]))
  }
}
