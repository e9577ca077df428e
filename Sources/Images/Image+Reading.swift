import CJPEGDecoder
import Files

/// What an image file says of itself at its beginning.
public struct ImageHeader: Sendable, Equatable {
  public let width: Int
  public let height: Int
  /// Of the image that reading gives: 1, 3 or 4, as in `Image`.
  public let channels: Int

  public init(width: Int, height: Int, channels: Int) {
    self.width = width
    self.height = height
    self.channels = channels
  }
}

extension Image {
  /// More pixels than an image may have: what asks for more is rather damaged, and would take all memory.
  static let pixelLimit = 1 << 28

  /// Reads a PNG or JPEG file of any kind, whatever its name, as sRGB of 8 bits. Inks (CMYK) become red, green and blue
  /// as if they were ideal; an orientation beside the pixels (EXIF) is not heeded.
  /// - Throws: `ImageError` for a file that cannot be read, is something else, or is damaged in any way that its pixels
  ///   could have suffered from.
  public static func read(_ path: String) throws(ImageError) -> Image {
    try read(contents(of: path), named: path)
  }

  /// Reads an image from the bytes of a PNG or JPEG file.
  /// - Parameter name: what messages call the file.
  public static func read(_ bytes: [UInt8], named name: String) throws(ImageError) -> Image {
    switch Format(bytes) {
    case .png: return try PNG.decode(bytes, path: name)
    case .jpeg: return try JPEG.decode(bytes, path: name)
    case nil: throw ImageError(path: name, message: unknownFormat)
    }
  }

  /// The size of an image, from the bytes of a PNG or JPEG file.
  public static func header(of bytes: [UInt8], named name: String) throws(ImageError) -> ImageHeader {
    let header: ImageHeader
    switch Format(bytes) {
    case .png: header = try PNG.header(of: bytes, path: name)
    case .jpeg: header = try JPEG.header(of: bytes, path: name)
    case nil: throw ImageError(path: name, message: unknownFormat)
    }
    try header.check(name)
    return header
  }

  /// The size of a PNG or JPEG file's image, from the file's beginning only.
  public static func header(of path: String) throws(ImageError) -> ImageHeader {
    let header: ImageHeader
    switch Format(try contents(of: path, atMost: 8)) {
    case .png: header = try PNG.header(of: path)
    case .jpeg: header = try JPEG.header(of: path)
    case nil: throw ImageError(path: path, message: unknownFormat)
    }
    try header.check(path)
    return header
  }

  private static let unknownFormat = "this is neither a PNG nor a JPEG file"

  private enum Format {
    case png
    case jpeg

    init?(_ bytes: [UInt8]) {
      if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
        self = .png
      } else if bytes.starts(with: [0xff, 0xd8, 0xff]) {
        self = .jpeg
      } else {
        return nil
      }
    }
  }

  private static func contents(of path: String, atMost limit: Int = .max) throws(ImageError) -> [UInt8] {
    do throws(FileError) {
      let file = try RegularFile(path)
      return try file.bytes(first: limit)
    } catch {
      throw ImageError(path: path, message: error.reason)
    }
  }
}

extension ImageHeader {
  /// Refuses sizes that only a damaged file can have.
  func check(_ path: String) throws(ImageError) {
    guard width > 0, height > 0, width * height <= Image.pixelLimit else {
      throw ImageError(path: path, message: "\(width)x\(height) pixels are too many, or none")
    }
  }
}

/// Reads JPEG files by libjpeg.
enum JPEG {
  static func header(of path: String) throws(ImageError) -> ImageHeader {
    var header = ddpm_jpeg_header()
    try run(path) { ddpm_jpeg_file_header(path, &header, $0) }
    return ImageHeader(width: Int(header.width), height: Int(header.height), channels: header.channels == 1 ? 1 : 3)
  }

  static func header(of bytes: [UInt8], path: String) throws(ImageError) -> ImageHeader {
    var header = ddpm_jpeg_header()
    try run(path) { ddpm_jpeg_header(bytes, bytes.count, &header, $0) }
    return ImageHeader(width: Int(header.width), height: Int(header.height), channels: header.channels == 1 ? 1 : 3)
  }

  static func decode(_ bytes: [UInt8], path: String) throws(ImageError) -> Image {
    var header = ddpm_jpeg_header()
    try run(path) { ddpm_jpeg_header(bytes, bytes.count, &header, $0) }
    let (width, height, channels) = (Int(header.width), Int(header.height), Int(header.channels))
    try ImageHeader(width: width, height: height, channels: channels).check(path)
    var pixels = [UInt8](repeating: 0, count: width * height * channels)
    try run(path) { ddpm_jpeg_decode(bytes, bytes.count, &pixels, $0) }
    if channels == 4 { pixels = colours(ofInks: pixels, inverted: header.is_inverted != 0) }
    return Image(width: width, height: height, channels: channels == 4 ? 3 : channels, pixels: pixels)
  }

  private static func run(_ path: String, _ call: (UnsafeMutablePointer<CChar>) -> Int32) throws(ImageError) {
    var message = [CChar](repeating: 0, count: Int(DDPM_JPEG_MESSAGE_LENGTH))
    guard call(&message) == 0 else {
      let text = String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      throw ImageError(path: path, message: text)
    }
  }

  /// What is left of white light by cyan, magenta, yellow and black: (255 − ink)(255 − black) / 255 for each.
  private static func colours(ofInks inks: [UInt8], inverted: Bool) -> [UInt8] {
    var colours = [UInt8](repeating: 0, count: inks.count / 4 * 3)
    for pixel in 0..<inks.count / 4 {
      func light(_ ink: Int) -> Int { inverted ? Int(inks[4 * pixel + ink]) : 255 - Int(inks[4 * pixel + ink]) }
      for channel in 0..<3 { colours[3 * pixel + channel] = UInt8((light(channel) * light(3) + 127) / 255) }
    }
    return colours
  }
}
