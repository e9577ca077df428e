import Files

/// What an image file says of itself before its pixels.
public struct ImageHeader: Sendable, Equatable {
  /// Of the image that reading gives, as in `Image`.
  public let width: Int
  public let height: Int
  public let channels: Int
  /// Whether reading turns it, since EXIF says that it is not stored upright.
  public let isTurned: Bool

  public init(width: Int, height: Int, channels: Int, isTurned: Bool = false) {
    self.width = width
    self.height = height
    self.channels = channels
    self.isTurned = isTurned
  }

  /// Whether it is grey, with opacity or without.
  public var isGrey: Bool { channels < 3 }

  /// Whether it has opacity, though perhaps all of it is opaque.
  public var hasOpacity: Bool { channels.isMultiple(of: 2) }
}

/// Reads PNG and JPEG files of any kind, whatever their names, as 8 bits per channel.
///
/// Samples are taken as they are stored: what a file says of gamma and colour spaces (gAMA, cHRM, sRGB, iCCP, ICC
/// profiles) changes nothing. 16 bits v become round(v / 257). Inks (CMYK) become red, green and blue as if they were ideal.
public struct ImageReader: Sendable, Equatable {
  /// What becomes of images that EXIF data say are stored otherwise than they should be seen.
  public enum Turning: String, CaseIterable, Sendable {
    case upright
    case asStored = "as-stored"
  }

  public var turning = Turning.upright
  /// How many pixels an image may have. A file may have 16 bytes for each.
  public var pixelLimit = ImageReader.usualPixelLimit

  /// 8192 x 8192.
  public static let usualPixelLimit = 1 << 26

  public init(turning: Turning = .upright, pixelLimit: Int = ImageReader.usualPixelLimit) {
    precondition((1...1 << 40).contains(pixelLimit), "a limit of \(pixelLimit) pixels")
    self.turning = turning
    self.pixelLimit = pixelLimit
  }

  /// What a file says of its image, from as little of the file as tells it.
  /// - Throws: `ImageError` for a file that cannot be read, is something else, or has too many pixels.
  public func header(of path: String) throws(ImageError) -> ImageHeader {
    try stored(in: Self.open(path)).header(turning)
  }

  /// Reads an image.
  /// - Throws: `ImageError`, as `header` does, and for a file that is damaged in any way that its pixels could have
  ///   suffered from.
  public func read(_ path: String) throws(ImageError) -> Image { try read(Self.open(path)) }

  /// The same from a file's bytes.
  /// - Parameter name: what an error calls them.
  public func read(_ bytes: [UInt8], named name: String) throws(ImageError) -> Image {
    try read(BytesInMemory(name: name, bytes: bytes))
  }

  /// The same of a file's bytes.
  /// - Parameter name: what an error calls them.
  public func header(of bytes: [UInt8], named name: String) throws(ImageError) -> ImageHeader {
    try stored(in: BytesInMemory(name: name, bytes: bytes)).header(turning)
  }

  private static func open(_ path: String) throws(ImageError) -> RegularFile {
    do {
      return try RegularFile(path)
    } catch {
      throw ImageError(error, path)
    }
  }

  private func stored(in source: borrowing some ByteSource & ~Copyable) throws(ImageError) -> StoredImage {
    guard source.size / 16 <= pixelLimit else {
      throw ImageError(
        .tooLarge, source.name, "\(source.size) bytes are more than 16 for each pixel of the limit of \(pixelLimit)")
    }
    let stored = try StoredImage.find(in: source)
    let (width, height) = (stored.width, stored.height)
    guard width > 0, height > 0 else {
      throw ImageError(.damaged, source.name, "it has \(width)x\(height) pixels")
    }
    guard height <= pixelLimit / width else {
      throw ImageError(
        .tooLarge, source.name, "\(width)x\(height) pixels are more than the limit of \(pixelLimit)")
    }
    return stored
  }

  private func read(_ source: borrowing some ByteSource & ~Copyable) throws(ImageError) -> Image {
    let stored = try stored(in: source)
    let bytes = try source.bytes(in: 0..<source.size)
    let image =
      switch stored.format {
      case .png(let pixelsEnd): try PNG.decode(bytes, upTo: pixelsEnd, stored, source.name)
      case .jpeg(let hasInks): try JPEG.decode(bytes, hasInks: hasInks, stored, source.name)
      }
    return turning == .upright ? image.upright(stored.orientation) : image
  }
}

extension StoredImage {
  fileprivate func header(_ turning: ImageReader.Turning) -> ImageHeader {
    let orientation = turning == .upright ? orientation : .topLeft
    return ImageHeader(
      width: orientation.swapsSides ? height : width, height: orientation.swapsSides ? width : height,
      channels: channels, isTurned: orientation != .topLeft)
  }
}
