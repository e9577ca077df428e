import Compression

/// A PNG file written by the test itself (ISO/IEC 15948), so that its values are known without libpng.
struct PNGFile {
  enum ColourType: Int, CaseIterable {
    case grey = 0
    case colour = 2
    case indexed = 3
    case greyWithOpacity = 4
    case colourWithOpacity = 6

    var channels: Int { [.grey: 1, .colour: 3, .indexed: 1, .greyWithOpacity: 2, .colourWithOpacity: 4][self]! }

    /// The depths that the format allows.
    var depths: [Int] {
      switch self {
      case .grey: [1, 2, 4, 8, 16]
      case .indexed: [1, 2, 4, 8]
      default: [8, 16]
      }
    }

    var mayHaveTransparency: Bool { self == .grey || self == .colour || self == .indexed }
  }

  var width = 7
  var height = 5
  var depth = 8
  var colourType = ColourType.grey
  var isInterlaced = false
  /// Chunks between the header and the pixels, and after the pixels.
  var chunks: [(kind: String, data: [UInt8])] = []
  var lastChunks: [(kind: String, data: [UInt8])] = []
  /// A pixel's samples.
  var samples: (_ x: Int, _ y: Int) -> [Int] = { x, y in [x + 7 * y] }

  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  var bytes: [UInt8] {
    var header = Self.number(width) + Self.number(height)
    header += [UInt8(depth), UInt8(colourType.rawValue), 0, 0, isInterlaced ? 1 : 0]
    var bytes = Self.signature + Self.chunk("IHDR", header)
    for chunk in chunks { bytes += Self.chunk(chunk.kind, chunk.data) }
    // In two chunks, the second of which starts at an arbitrary position.
    let data = Self.zlib(lines)
    bytes += Self.chunk("IDAT", Array(data[..<(data.count / 3)]))
    bytes += Self.chunk("IDAT", Array(data[(data.count / 3)...]))
    for chunk in lastChunks { bytes += Self.chunk(chunk.kind, chunk.data) }
    return bytes + Self.chunk("IEND", [])
  }

  static func number(_ value: Int, bytes: Int = 4) -> [UInt8] {
    (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  static func chunk(_ kind: String, _ data: [UInt8]) -> [UInt8] {
    let content = Array(kind.utf8) + data
    return number(data.count) + content + number(Int(content.withUnsafeBytes { crc32($0) }))
  }

  /// All filtered lines, of the seven images of Adam7 in order or of the single image.
  private var lines: [UInt8] {
    let passes: [(left: Int, top: Int, across: Int, down: Int)] =
      isInterlaced
      ? [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
      : [(0, 0, 1, 1)]
    var lines: [UInt8] = []
    for pass in passes where pass.left < width {
      var previous: [UInt8] = []
      for y in stride(from: pass.top, to: height, by: pass.down) {
        let line = packed(stride(from: pass.left, to: width, by: pass.across).flatMap { samples($0, y) })
        if previous.isEmpty { previous = [UInt8](repeating: 0, count: line.count) }
        lines += filtered(line, previous, by: (y / pass.down) % 5)
        previous = line
      }
    }
    return lines
  }

  /// Samples as bytes, the first in the highest bits.
  private func packed(_ samples: [Int]) -> [UInt8] {
    if depth >= 8 { return samples.flatMap { Self.number($0, bytes: depth / 8) } }
    let perByte = 8 / depth
    return stride(from: 0, to: samples.count, by: perByte).map { start in
      samples[start..<min(start + perByte, samples.count)].enumerated().reduce(UInt8(0)) { byte, sample in
        byte | UInt8(sample.element) << (8 - depth * (sample.offset + 1))
      }
    }
  }

  /// None, Sub, Up, Average and Paeth.
  private func filtered(_ line: [UInt8], _ previous: [UInt8], by filter: Int) -> [UInt8] {
    let step = max(depth * colourType.channels / 8, 1)
    return [UInt8(filter)]
      + line.indices.map { index in
        let left = index < step ? 0 : Int(line[index - step])
        let corner = index < step ? 0 : Int(previous[index - step])
        let above = Int(previous[index])
        let estimate = left + above - corner
        let (a, b, c) = (abs(estimate - left), abs(estimate - above), abs(estimate - corner))
        let nearest = a <= b && a <= c ? left : b <= c ? above : corner
        return line[index] &- UInt8([0, left, above, (left + above) / 2, nearest][filter])
      }
  }

  /// Bytes as a zlib stream of stored blocks (RFC 1950 and 1951).
  static func zlib(_ bytes: [UInt8]) -> [UInt8] {
    var stream: [UInt8] = [0x78, 0x01]
    for start in stride(from: 0, to: max(bytes.count, 1), by: 65535) {
      let block = bytes[start..<min(start + 65535, bytes.count)]
      let size = UInt16(block.count)
      stream += [start + 65535 >= bytes.count ? 1 : 0]
      for word in [size, ~size] { stream += [UInt8(word & 255), UInt8(word >> 8)] }
      stream += block
    }
    var (low, high) = (1, 0)
    for byte in bytes {
      low = (low + Int(byte)) % 65521
      high = (high + low) % 65521
    }
    return stream + number(high << 16 | low)
  }
}
