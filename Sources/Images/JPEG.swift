import CJPEGDecoder

/// Reading JPEG files: their markers here, their pixels by libjpeg.
enum JPEG {
  /// The first marker and the first byte of the next.
  static let signature: [UInt8] = [0xff, 0xd8, 0xff]

  private enum Marker {
    /// Markers without data: TEM, RST0 to RST7 and SOI.
    static let alone: Set<UInt8> = [0x01, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8]
    /// Starts of frames, SOF0 to SOF15, except DHT, JPG and DAC, which lie between them.
    static let frames = Set<UInt8>(0xc0...0xcf).subtracting([0xc4, 0xc8, 0xcc])
    static let endOfImage: UInt8 = 0xd9
    static let startOfScan: UInt8 = 0xda
    static let application1: UInt8 = 0xe1
  }

  /// Reads the markers before the first scan (ITU-T T.81, annex B).
  static func stored(in file: inout ImageBytes) throws(ImageError) -> StoredImage {
    var size: (width: Int, height: Int, components: Int)?
    var orientation: Orientation?
    var offset = 2
    while let (marker, start) = try nextMarker(in: &file, from: offset) {
      offset = start
      if Marker.alone.contains(marker) { continue }
      guard marker != Marker.startOfScan, marker != Marker.endOfImage,
        let length = try file.number(at: start, bytes: 2)
      else { break }
      offset += length
      if Marker.frames.contains(marker), size == nil, length >= 8,
        let height = try file.number(at: start + 3, bytes: 2),
        let width = try file.number(at: start + 5, bytes: 2),
        let components = try file.number(at: start + 7, bytes: 1)
      {
        size = (width, height, components)
      } else if marker == Marker.application1, orientation == nil, length >= 8,
        let data = try file.bytes(start + 2..<start + length), data.starts(with: "Exif\0".utf8)
      {
        orientation = Orientation(exif: data.dropFirst(6)) ?? .topLeft
      }
    }
    guard let size else { throw ImageError(.damaged, file.name, "the file ends before its pixels") }
    return StoredImage(
      format: .jpeg(hasInks: size.components == 4), width: size.width, height: size.height,
      channels: size.components == 1 ? 1 : 3,
      orientation: orientation ?? .topLeft)
  }

  /// The next marker and the position after it. Like libjpeg, it skips bytes that belong to no marker.
  private static func nextMarker(
    in file: inout ImageBytes, from offset: Int
  ) throws(ImageError) -> (marker: UInt8, end: Int)? {
    var isMarked = false
    var offset = offset
    while let byte = try file.bytes(offset..<offset + 1)?.first {
      offset += 1
      if byte == 0xff {
        isMarked = true
      } else if isMarked && byte != 0 {
        return (byte, offset)
      } else {
        isMarked = false
      }
    }
    return nil
  }

  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - hasInks: whether it is stored as cyan, magenta, yellow and black.
  static func decode(_ bytes: [UInt8], hasInks: Bool, _ stored: StoredImage, _ path: String) throws(ImageError) -> Image
  {
    let channels = hasInks ? 4 : stored.channels
    var layout = ddpm_jpeg_layout(
      width: UInt32(stored.width), height: UInt32(stored.height), channels: Int32(channels))
    var areInksInverted: Int32 = 0
    var pixels = try decodedPixels(stored.width * stored.height * channels, path) { pixels, message in
      ddpm_jpeg_decode(bytes, bytes.count, &layout, pixels, &areInksInverted, message)
    }
    if hasInks { pixels = colours(ofInks: pixels, inverted: areInksInverted != 0) }
    return Image(width: stored.width, height: stored.height, channels: stored.channels, pixels: pixels)
  }

  /// The light that remains after cyan, magenta, yellow and black: (255 − ink)(255 − black) / 255 for each.
  private static func colours(ofInks inks: [UInt8], inverted: Bool) -> [UInt8] {
    var colours = [UInt8](repeating: 0, count: inks.count / 4 * 3)
    for pixel in 0..<inks.count / 4 {
      func light(_ ink: Int) -> Int { inverted ? Int(inks[4 * pixel + ink]) : 255 - Int(inks[4 * pixel + ink]) }
      for channel in 0..<3 { colours[3 * pixel + channel] = UInt8((light(channel) * light(3) + 127) / 255) }
    }
    return colours
  }
}
