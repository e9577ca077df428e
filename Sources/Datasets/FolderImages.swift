import Images
import Tensors

/// The images of a folder, decoded whenever they are needed.
public struct FolderImages: ImageDataset {
  /// How images of different kinds become one.
  public struct Fitting: Sendable, Equatable {
    /// The side of the squares that all become (`Image.square`); `nil`: all must have the same size.
    public var side: Int?
    /// The grey value behind transparent pixels; `nil`: there must be none.
    public var background: UInt8?
    /// What all become: 3 makes colour images of grey ones. `nil`: all must be of the same kind.
    public var channels: Int?

    public init(side: Int? = nil, background: UInt8? = nil, channels: Int? = nil) {
      self.side = side
      self.background = background
      self.channels = channels
    }
  }

  public let name: String
  public let height: Int
  public let width: Int
  public let channels: Int
  /// Pictures of a folder may be anything, so this is left to the user.
  public let allowsFlips = false
  /// Of the files' names and sizes, not of their contents.
  public let fingerprint: UInt64
  public let readsFiles = true
  private let folder: ImageFolder
  private let fitting: Fitting

  public var count: Int { folder.files.count }
  public var classNames: [String] { folder.classNames }
  public var remarks: [String] { folder.remarks }

  /// - Throws: `DatasetError` if an image cannot be read, or does not fit the others.
  public init(_ folder: ImageFolder, fitting: Fitting = Fitting()) throws {
    if let problem = folder.problems.first { throw problem }
    try self.init(folder, fitting: fitting, headers: folder.headers().map { try $0.get() })
  }

  /// - Parameter headers: those of the folder's files.
  public init(_ folder: ImageFolder, fitting: Fitting, headers: [ImageHeader]) throws {
    precondition(headers.count == folder.files.count && !headers.isEmpty, "a header for each file")
    name = folder.name
    self.folder = folder
    self.fitting = fitting
    height = fitting.side ?? headers[0].height
    width = fitting.side ?? headers[0].width
    channels = fitting.channels ?? (headers[0].channels == 1 ? 1 : 3)
    var fingerprint = Fingerprint()
    for number in [folder.files.count, height, width, channels] { fingerprint.add(number) }
    for name in folder.classNames { fingerprint.add(name) }
    for file in folder.files {
      // Ranks may find the folder under different paths.
      fingerprint.add(String(file.path.dropFirst(folder.path.count)))
      fingerprint.add(file.size)
    }
    self.fingerprint = fingerprint.value
    for (file, header) in zip(folder.files, headers) { try check(header, of: file.path) }
  }

  public var contentMark: UInt64 {
    Fingerprint.of([fingerprint] + folder.storedPaths.map(modificationMark))
  }

  public func label(of index: Int) -> Int? { folder.files[index].label }

  public func copyBytes(of index: Int, into destination: UnsafeMutablePointer<UInt8>) throws {
    precondition((0..<count).contains(index), "there is no image \(index) among \(count)")
    let path = folder.files[index].path
    let original = try folder.image(at: index)
    // The file may be another than it was at the start.
    try check(
      ImageHeader(width: original.width, height: original.height, channels: original.channels), of: path)
    guard var image = original.withoutOpacity(background: fitting.background) else {
      throw DatasetError(
        .wrongLayout, path, "it has transparent pixels",
        advice: "say what is behind them with `ddpm-mpi pack … --background black` or white")
    }
    if let side = fitting.side { image = image.square(side: side) }
    if channels == 3 { image = image.inColour }
    image.pixels.withUnsafeBufferPointer { destination.update(from: $0.baseAddress!, count: $0.count) }
  }

  private func check(_ header: ImageHeader, of path: String) throws {
    let isGrey = header.channels == 1
    let fitsSize = fitting.side != nil || (header.width == width && header.height == height)
    guard fitsSize, isGrey == (channels == 1) || (isGrey && fitting.channels == 3) else {
      func text(_ width: Int, _ height: Int, _ isGrey: Bool) -> String {
        "\(width)x\(height) pixels in \(isGrey ? "grey" : "colour")"
      }
      throw DatasetError(
        .wrongDimensions, path,
        "it has \(text(header.width, header.height, isGrey)), but the first image has "
          + text(width, height, channels == 1),
        advice: "bring all images to one kind with `ddpm-mpi pack \(folder.path) --size N --output FILE.h5`")
    }
  }
}
