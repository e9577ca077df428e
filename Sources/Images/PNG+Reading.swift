import CPNGDecoder
import Compression

/// Reading PNG files: their chunks here, their pixels by libpng.
extension PNG {
  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  /// The maximum size of EXIF data in JPEG files; larger data are ignored.
  private static let exifLimit = 1 << 16

  /// Reads the chunks (ISO/IEC 15948, section 5.3). EXIF data may come after the pixels, so all chunks are read.
  static func stored(in file: inout ImageBytes) throws(ImageError) -> StoredImage {
    let damaged = ImageError(.damaged, file.name, "its header (IHDR) is damaged")
    guard let head = try file.bytes(8..<33), head.prefix(8).elementsEqual([0, 0, 0, 13] + "IHDR".utf8)
    else { throw damaged }
    func number(_ offset: Int) -> Int { head.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | Int($1) } }
    let colourType = head[head.startIndex + 17]
    guard var channels = [0: 1, 2: 3, 3: 3, 4: 2, 6: 4][colourType] else { throw damaged }
    var pixelsEnd: Int?
    var orientation: Orientation?
    var offset = 33
    while let length = try file.number(at: offset, bytes: 4), let kind = try file.bytes(offset + 4..<offset + 8) {
      let end = offset + 12 + length
      switch String(decoding: kind, as: UTF8.self) {
      case "IDAT":
        pixelsEnd = min(end, file.size)
      case "tRNS":
        // It is not allowed for colour types with opacity, and has no effect after the pixels.
        if pixelsEnd == nil, !channels.isMultiple(of: 2) { channels += 1 }
      case "eXIf":
        if orientation == nil, length <= exifLimit, let chunk = try file.bytes(offset + 4..<end) {
          orientation = Self.orientation(ofChunk: chunk)
        }
      case "IEND":
        offset = file.size
      default: break
      }
      offset = max(offset, end)
    }
    guard let pixelsEnd else { throw ImageError(.damaged, file.name, "the file ends before its pixels") }
    return StoredImage(
      format: .png(pixelsEnd: pixelsEnd), width: number(8), height: number(12), channels: channels,
      orientation: orientation ?? .topLeft)
  }

  /// - Parameter chunk: its type, its data and its checksum.
  private static func orientation(ofChunk chunk: ArraySlice<UInt8>) -> Orientation? {
    let checksum = chunk.suffix(4).reduce(0) { $0 << 8 | UInt32($1) }
    guard chunk.dropLast(4).withUnsafeBytes({ crc32($0) }) == checksum else { return nil }
    let data = chunk.dropFirst(4).dropLast(4)
    // Some programs write the prefix that EXIF data have in JPEG files.
    return Orientation(exif: data.starts(with: "Exif\0\0".utf8) ? data.dropFirst(6) : data)
  }

  /// - Parameter bytes: the whole file.
  static func decode(
    _ bytes: [UInt8], upTo pixelsEnd: Int, _ stored: StoredImage, _ path: String
  ) throws(ImageError) -> Image {
    var layout = ddpm_png_layout(
      width: UInt32(stored.width), height: UInt32(stored.height), channels: Int32(stored.channels))
    let pixels = try decodedPixels(stored.width * stored.height * stored.channels, path) { pixels, message in
      ddpm_png_decode(bytes, min(pixelsEnd, bytes.count), &layout, pixels, message)
    }
    return Image(width: stored.width, height: stored.height, channels: stored.channels, pixels: pixels)
  }
}

/// Lets a decoder in C fill memory, which is uninitialised at first.
/// - Parameter call: fills the memory and returns 0, or writes an error message of at most 256 characters.
func decodedPixels(
  _ size: Int, _ path: String,
  by call: (_ pixels: UnsafeMutablePointer<UInt8>, _ message: UnsafeMutablePointer<CChar>) -> Int32
) throws(ImageError) -> [UInt8] {
  var message = [CChar](repeating: 0, count: 256)
  let pixels = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
    if call(buffer.baseAddress!, &message) == 0 { count = size }
  }
  guard pixels.count == size else {
    let text = String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(truncatingIfNeeded:)), as: UTF8.self)
    throw ImageError(.damaged, path, text)
  }
  return pixels
}
