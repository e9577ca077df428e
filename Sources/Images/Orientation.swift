/// How a stored image must be turned to stand upright: the values of EXIF's tag 274 (CIPA DC-008, 4.6.4), which specify
/// where the stored image's first row and first column belong.
package enum Orientation: Int, Sendable, CaseIterable {
  case topLeft = 1
  case topRight = 2
  case bottomRight = 3
  case bottomLeft = 4
  case leftTop = 5
  case rightTop = 6
  case rightBottom = 7
  case leftBottom = 8

  /// Whether the stored rows become columns.
  var swapsSides: Bool { rawValue >= Orientation.leftTop.rawValue }

  /// Whether the first stored row is the last one, or the column on the right.
  private var reversesRows: Bool { [.bottomRight, .bottomLeft, .rightTop, .rightBottom].contains(self) }

  /// Whether the first stored column is the last one, or the row at the bottom.
  private var reversesColumns: Bool { [.topRight, .bottomRight, .rightBottom, .leftBottom].contains(self) }

  /// The start, in pixels, of the upright image within the stored one, and the distances to the next pixel to the right
  /// and the next one below.
  func path(width: Int, height: Int) -> (start: Int, right: Int, down: Int) {
    let start = (reversesColumns ? width - 1 : 0) + (reversesRows ? (height - 1) * width : 0)
    let (alongRow, alongColumn) = (reversesColumns ? -1 : 1, reversesRows ? -width : width)
    return swapsSides ? (start, alongColumn, alongRow) : (start, alongRow, alongColumn)
  }

  /// Reads EXIF data, which have the format of a TIFF file (TIFF 6.0, section 2).
  /// - Returns: nil if they contain no orientation, or are damaged.
  package init?(exif: ArraySlice<UInt8>) {
    let isLittleEndian: Bool
    switch Array(exif.prefix(4)) {
    case [0x49, 0x49, 42, 0]: isLittleEndian = true
    case [0x4d, 0x4d, 0, 42]: isLittleEndian = false
    default: return nil
    }
    func number(at offset: Int, bytes count: Int) -> Int? {
      guard offset >= 0, offset + count <= exif.count else { return nil }
      let bytes = exif[(exif.startIndex + offset)...].prefix(count)
      return (isLittleEndian ? Array(bytes.reversed()) : Array(bytes)).reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(at: 4, bytes: 4), let count = number(at: directory, bytes: 2) else { return nil }
    for index in 0..<count {
      // Tag, type, number of values, the value.
      let entry = directory + 2 + 12 * index
      guard let tag = number(at: entry, bytes: 2), let type = number(at: entry + 2, bytes: 2) else { return nil }
      guard tag == 274 else { continue }
      let sizes = [1: 1, 3: 2, 4: 4]
      guard let size = sizes[type], number(at: entry + 4, bytes: 4) == 1,
        let value = number(at: entry + 8, bytes: size)
      else { return nil }
      self.init(rawValue: value)
      return
    }
    return nil
  }
}

extension Image {
  /// The image, stored with this orientation, turned upright.
  func upright(_ orientation: Orientation) -> Image {
    guard orientation != .topLeft else { return self }
    let (width, height) = orientation.swapsSides ? (height, width) : (width, height)
    let path = orientation.path(width: self.width, height: self.height)
    let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { turned, count in
      pixels.withUnsafeBufferPointer { pixels in
        var target = 0
        for row in 0..<height {
          var source = path.start + row * path.down
          for _ in 0..<width {
            for channel in 0..<channels { turned[target + channel] = pixels[source * channels + channel] }
            target += channels
            source += path.right
          }
        }
      }
      count = pixels.count
    }
    return Image(width: width, height: height, channels: channels, pixels: turned)
  }
}
