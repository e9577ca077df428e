import Images
import Tensors

/// The images of a folder, decoded on demand.
package struct FolderImages: ImageDataset {
  /// How image files are read, and how images of different kinds are converted to one.
  package struct Fitting: Sendable, Equatable {
    /// The side of the squares that all images are resized to (`Image.square`); nil: all must have the same size.
    package var side: Int?
    /// The background of transparent pixels; nil: there must be none.
    package var background: Background?
    /// The channels that all images are converted to, 1 (grey) or 3 (colour); nil: all must be of the same kind.
    package var channels: Int?
    package var reader: ImageReader

    package init(
      side: Int? = nil, background: Background? = nil, channels: Int? = nil, reader: ImageReader = ImageReader()
    ) {
      self.side = side
      self.background = background
      self.channels = channels
      self.reader = reader
    }
  }

  package enum Background: String, CaseIterable, Sendable {
    case black
    case white

    /// The value of its channels.
    var value: UInt8 { self == .white ? 255 : 0 }
  }

  package let imageShape: [Int]
  /// The content of the images is unknown, so this is left to the user.
  package let allowsFlips = false
  /// Computed from the files' names and sizes, not from their contents.
  package let fingerprint: UInt64
  package let readsFiles = true
  private let folder: ImageFolder
  private let fitting: Fitting

  package var name: String { folder.name }
  package var count: Int { folder.files.count }
  package var classNames: [String] { folder.classNames }
  package var remarks: [String] { folder.remarks }

  /// - Throws: `DatasetError` if an image cannot be read, or does not match the others.
  package init(_ folder: ImageFolder, fitting: Fitting = Fitting()) throws {
    if let problem = folder.problems.first { throw problem }
    try self.init(folder, fitting: fitting, headers: folder.headers(by: fitting.reader).map { try $0.get() })
  }

  /// Without a background, images that may have transparent pixels are decoded to check whether they do.
  /// - Parameter headers: the headers of the folder's files.
  package init(
    _ folder: ImageFolder, fitting: Fitting, headers: [ImageHeader], workers: WorkerPool = .callingThread
  ) throws {
    precondition(headers.count == folder.files.count && !headers.isEmpty, "there must be one header per file")
    self.folder = folder
    self.fitting = fitting
    imageShape = [
      fitting.side ?? headers[0].height, fitting.side ?? headers[0].width,
      fitting.channels ?? (headers[0].isGrey ? 1 : 3),
    ]
    var fingerprint = Fingerprint([folder.files.count] + imageShape)
    for choice in [fitting.background?.rawValue ?? "", fitting.reader.turning.rawValue] { fingerprint.add(choice) }
    for name in folder.classNames { fingerprint.add(name) }
    for file in folder.files {
      // Ranks may see the folder under different paths.
      fingerprint.add(String(file.path.dropFirst(folder.path.count)))
      fingerprint.add(file.size)
    }
    self.fingerprint = fingerprint.value
    if let mixture = DatasetError(mixtureIn: folder, headers, fitting) { throw mixture }
    if fitting.background == nil { try checkOpacity(headers, workers) }
  }

  package var contentMark: UInt64 {
    Fingerprint.of([fingerprint] + folder.storedPaths.map(modificationMark))
  }

  package func label(of index: Int) -> Int? { folder.files[index].label }

  package func copyBytes(of index: Int, into target: ByteTensor) throws {
    precondition((0..<count).contains(index), "there is no image \(index) among \(count)")
    let path = folder.files[index].path
    let original = try folder.image(at: index, by: fitting.reader)
    // The file may have changed since the start.
    let isGrey = original.channels < 3
    let fitsSize = fitting.side != nil || (original.width == width && original.height == height)
    guard fitsSize, fitting.channels != nil || isGrey == (channels == 1) else {
      throw DatasetError(
        .wrongDimensions, path, "it has changed since the start (\(width)x\(height) pixels, \(channels) channels)",
        advice: "do not change files while they are in use; start again with --resume")
    }
    guard let image = original.withoutOpacity(background: fitting.background?.value) else {
      throw DatasetError(.transparent, path, "it has transparent pixels", advice: DatasetError.howToChooseBackground)
    }
    target.copy(image.fitted(side: fitting.side, channels: channels).pixels)
  }

  /// Rejects transparent pixels in advance. A file that cannot be read is reported when it is needed.
  private func checkOpacity(_ headers: [ImageHeader], _ workers: WorkerPool) throws {
    let suspects = headers.indices.filter { headers[$0].hasOpacity }
    let areTransparent = workers.map(suspects.count) { number in
      (try? folder.image(at: suspects[number], by: fitting.reader))?.isTransparent ?? false
    }
    let found = zip(suspects, areTransparent).filter(\.1).map(\.0)
    guard let first = found.first else { return }
    throw DatasetError(
      .transparent, folder.path,
      "of its \(headers.count) images \(found.count) \(found.count == 1 ? "has" : "have") transparent pixels, "
        + "the first \(folder.relativePath(of: first))",
      advice: DatasetError.howToChooseBackground)
  }
}

extension StoredImages {
  /// The image of a single file, read and converted as those of a folder are.
  /// - Throws: `DatasetError`.
  package init(file path: String, fitting: FolderImages.Fitting) throws(DatasetError) {
    let original: Image
    do { original = try fitting.reader.read(path) } catch { throw DatasetError(error) }
    guard let opaque = original.withoutOpacity(background: fitting.background?.value) else {
      throw DatasetError(.transparent, path, "it has transparent pixels", advice: DatasetError.howToChooseBackground)
    }
    let image = opaque.fitted(side: fitting.side, channels: fitting.channels ?? opaque.channels)
    self.init(
      name: path, imageShape: [image.height, image.width, image.channels], bytes: image.pixels, labels: [UInt8](),
      classNames: [], allowsFlips: false)
  }
}

extension DatasetError {
  fileprivate static let howToChooseBackground =
    "fill them in, or choose a background where it can be chosen: --background black or white, for training data.background"
}
