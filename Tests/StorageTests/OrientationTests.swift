import Foundation
import Images
import Testing

extension StorageTests {
  @Suite struct OrientationTests {
    /// EXIF data with a few tags, including the orientation.
    private func exif(
      _ orientation: Int, isLittleEndian: Bool, type: Int = 3, count: Int = 1, directory: Int = 8
    ) -> [UInt8] {
      func number(_ value: Int, _ bytes: Int) -> [UInt8] {
        let big = PNGFile.number(value, bytes: bytes)
        return isLittleEndian ? big.reversed() : big
      }
      func entry(_ tag: Int, _ type: Int, _ count: Int, _ value: [UInt8]) -> [UInt8] {
        number(tag, 2) + number(type, 2) + number(count, 4) + value + [UInt8](repeating: 0, count: 4 - value.count)
      }
      var bytes = Array((isLittleEndian ? "II" : "MM").utf8) + number(42, 2) + number(directory, 4)
      bytes += [UInt8](repeating: 0xff, count: max(directory - 8, 0))
      bytes += number(3, 2)
      bytes += entry(271, 2, 4, Array("abc\0".utf8))
      bytes += entry(274, type, count, number(orientation, type == 4 ? 4 : type == 1 ? 1 : 2))
      bytes += entry(296, 3, 1, number(2, 2)) + number(0, 4)
      return bytes
    }

    /// Stored as 3x2: 1 2 3 / 4 5 6.
    private func png(_ exif: [UInt8]?, isLast: Bool = false) -> [UInt8] {
      var file = PNGFile(width: 3, height: 2)
      file.samples = { x, y in [1 + x + 3 * y] }
      if let exif { if isLast { file.lastChunks = [("eXIf", exif)] } else { file.chunks = [("eXIf", exif)] } }
      return file.bytes
    }

    /// The eight orientations turned upright, row by row.
    private static let upright: [[[UInt8]]] = [
      [[1, 2, 3], [4, 5, 6]], [[3, 2, 1], [6, 5, 4]], [[6, 5, 4], [3, 2, 1]], [[4, 5, 6], [1, 2, 3]],
      [[1, 4], [2, 5], [3, 6]], [[4, 1], [5, 2], [6, 3]], [[6, 3], [5, 2], [4, 1]], [[3, 6], [2, 5], [1, 4]],
    ]

    @Test func imagesAreRotatedAccordingToEXIF() throws {
      for (index, rows) in Self.upright.enumerated() {
        for isLittleEndian in [false, true] {
          for type in [1, 3, 4] {
            for isLast in [false, true] {
              let data = exif(index + 1, isLittleEndian: isLittleEndian, type: type, directory: type == 3 ? 8 : 26)
              for data in [data, Array("Exif\0\0".utf8) + data] {
                let bytes = png(data, isLast: isLast)
                let image = try ImageReader().read("image.png", contents: bytes)
                #expect(image.width == rows[0].count && image.height == rows.count)
                #expect(image.pixels == rows.flatMap(\.self), "\(index + 1) \(isLittleEndian) \(type) \(isLast)")
                let header = try ImageReader().header(of: "image.png", contents: bytes)
                #expect(
                  header == ImageHeader(width: image.width, height: image.height, channels: 1, isTurned: index > 0))
                let reader = ImageReader(turning: .asStored)
                #expect(try reader.read("image.png", contents: bytes).pixels == [1, 2, 3, 4, 5, 6])
                #expect(try reader.header(of: "", contents: bytes) == ImageHeader(width: 3, height: 2, channels: 1))
              }
            }
          }
        }
      }
    }

    @Test func colourImagesAreRotatedToo() throws {
      var file = PNGFile(width: 2, height: 1, colourType: .colourWithOpacity)
      file.samples = { x, _ in [0, 1, 2, 3].map { 10 * x + $0 } }
      file.chunks = [("eXIf", exif(6, isLittleEndian: true))]
      let image = try ImageReader().read("image.png", contents: file.bytes)
      #expect(image.width == 1 && image.height == 2 && image.pixels == [0, 1, 2, 3, 10, 11, 12, 13])
    }

    @Test func damagedEXIFDataAreIgnored() throws {
      let whole = exif(6, isLittleEndian: true)
      var others: [[UInt8]] = (0..<24).map { Array(whole.prefix($0)) }
      others += [0, 9, 65535].map { exif($0, isLittleEndian: true) }
      others += [
        exif(6, isLittleEndian: false, type: 2), exif(6, isLittleEndian: false, count: 2),
        exif(6, isLittleEndian: true, directory: 0),
      ]
      // Directories at the end, beyond it, and as far away as possible.
      for offset in [whole.count - 1, whole.count, 1 << 31, 1 << 32 - 1] {
        var bytes = whole
        bytes.replaceSubrange(4..<8, with: PNGFile.number(offset).reversed())
        others.append(bytes)
      }
      for data in others {
        #expect(try ImageReader().read("image.png", contents: png(data)).pixels == [1, 2, 3, 4, 5, 6], "\(data)")
      }
      // A checksum that does not match.
      var bytes = png(whole)
      let offset = try #require(bytes.indices.first { bytes[$0...].starts(with: "eXIf".utf8) })
      bytes[offset + 4 + whole.count] ^= 1
      #expect(try ImageReader().read("image.png", contents: bytes).pixels == [1, 2, 3, 4, 5, 6])
      // A directory that claims many entries, of which few exist.
      var many = whole
      many.replaceSubrange(8..<10, with: [255, 255])
      many[10 + 12] = 0
      #expect(Orientation(exif: many[...]) == nil)
    }

    @Test func jpegFilesAreRotatedByTheFirstEXIFData() throws {
      let plain = [UInt8](try #require(Data(base64Encoded: JPEGFiles.colour)))
      let stored = try ImageReader().read("image.jpg", contents: plain)
      func segment(_ data: [UInt8]) -> [UInt8] { [0xff, 0xe1] + PNGFile.number(data.count + 2, bytes: 2) + data }
      func file(_ segments: [UInt8]) -> [UInt8] { plain[..<2] + segments + plain[2...] }
      let first = segment(Array("Exif\0\0".utf8) + exif(6, isLittleEndian: false))
      let others = segment(Array("http://ns.adobe.com/xap/1.0/\0".utf8)) + first
      for bytes in [file(first), file(others), file(first + segment(Array("Exif\0\0".utf8)))] {
        #expect(
          try ImageReader().header(of: "", contents: bytes)
            == ImageHeader(width: 12, height: 16, channels: 3, isTurned: true))
        let image = try ImageReader().read("image.jpg", contents: bytes)
        for y in 0..<16 {
          for x in 0..<12 {
            let from = ((11 - x) * 16 + y) * 3
            #expect(image.pixels[(y * 12 + x) * 3..<(y * 12 + x) * 3 + 3] == stored.pixels[from..<from + 3])
          }
        }
        #expect(try ImageReader(turning: .asStored).read("image.jpg", contents: bytes) == stored)
      }
      let broken = segment(Array("Exif\0\0".utf8) + exif(6, isLittleEndian: false).prefix(20))
      #expect(try ImageReader().read("image.jpg", contents: file(broken)) == stored)
    }
  }
}
