import Foundation
import Images
import Testing

extension StorageTests {
  /// Which slightly damaged files are refused and which are not.
  @Suite struct JPEGDamageTests {
    private func bytes(_ base64: String) throws -> [UInt8] { [UInt8](try #require(Data(base64Encoded: base64))) }

    private func read(_ bytes: [UInt8]) throws -> Image { try ImageReader().read("image.jpg", contents: bytes) }

    /// The position and kind of each marker: those of the header, and those within and after scans.
    private func markers(_ bytes: [UInt8]) -> [(offset: Int, marker: UInt8)] {
      var markers: [(Int, UInt8)] = []
      var offset = 0
      while offset + 1 < bytes.count {
        let marker = bytes[offset + 1]
        guard bytes[offset] == 0xff, marker != 0 else {
          offset += 1
          continue
        }
        markers.append((offset, marker))
        // The contents of a segment are not a marker; the data after a scan's segment may contain some.
        let standsAlone = (0xd0...0xd9).contains(marker)
        offset += standsAlone ? 2 : 2 + Int(bytes[offset + 2]) << 8 + Int(bytes[offset + 3])
      }
      return markers
    }

    private func inserting(_ extra: [UInt8], at offset: Int, into bytes: [UInt8]) -> [UInt8] {
      Array(bytes[..<offset]) + extra + bytes[offset...]
    }

    @Test func everyTruncationExceptOfTheEndMarkerIsAnError() throws {
      for base64 in [JPEGFiles.colour, JPEGFiles.progressive, JPEGFiles.restarting] {
        let bytes = try bytes(base64)
        for length in 0..<bytes.count - 2 {
          let error = #expect(throws: ImageError.self, "\(length) of \(bytes.count) bytes") {
            try read(Array(bytes[..<length]))
          }
          #expect(error?.path == "image.jpg" && error?.message.isEmpty == false)
        }
        for length in [bytes.count - 2, bytes.count - 1] {
          #expect(try read(Array(bytes[..<length])) == read(bytes))
        }
      }
    }

    @Test func bytesBetweenMarkersAreNotDamage() throws {
      for base64 in [JPEGFiles.colour, JPEGFiles.grey, JPEGFiles.inks, JPEGFiles.progressive] {
        let bytes = try bytes(base64)
        let image = try read(bytes)
        for (offset, marker) in markers(bytes) where marker != 0xd8 {
          for extra in [[0], [1, 2, 3], [0xff], [UInt8](repeating: 0, count: 700)] as [[UInt8]] {
            // Before the first marker, they would make it another format.
            if offset == 2 && extra[0] != 0xff { continue }
            let other = inserting(extra, at: offset, into: bytes)
            #expect(try read(other) == image, "\(extra.count) bytes before \(marker)")
            #expect(
              try ImageReader().header(of: "", contents: other)
                == ImageHeader(width: image.width, height: image.height, channels: image.channels))
          }
        }
        #expect(try read(bytes + [9, 8, 7]) == image)
      }
    }

    @Test func missingPixelsAreDamage() throws {
      let bytes = try bytes(JPEGFiles.restarting)
      #expect(try read(bytes).pixels.count == 16 * 12)
      let restarts = markers(bytes).filter { (0xd0...0xd7).contains($0.marker) }
      #expect(restarts.count == 3)
      for (offset, marker) in restarts {
        // Too much data before a restart, too little, another restart, none.
        var renamed = bytes
        renamed[offset + 1] = marker == 0xd5 ? 0xd6 : 0xd5
        let shortened = Array(bytes[..<(offset - 8)] + bytes[offset...])
        let joined = Array(bytes[..<offset] + bytes[(offset + 2)...])
        let lengthened = inserting([UInt8](repeating: 0x55, count: 16), at: offset, into: bytes)
        for (other, what) in [(renamed, "renamed"), (shortened, "short"), (joined, "joined"), (lengthened, "long")] {
          #expect(throws: ImageError.self, "\(what) \(marker)") { try read(other) }
        }
      }
    }

    @Test func zeroRangeInASequentialScanIsNotDamage() throws {
      var bytes = try bytes(JPEGFiles.colour)
      let image = try read(bytes)
      let scan = try #require(markers(bytes).first { $0.marker == 0xda }).offset
      // After the length, the number of components and two bytes for each: the range of coefficients, 0 to 63.
      let last = scan + 4 + 1 + 2 * Int(bytes[scan + 4]) + 1
      #expect(bytes[last] == 63)
      bytes[last] = 0
      #expect(try read(bytes) == image)
    }

    @Test func moreScansThanAnyEncoderMakesAreRefused() throws {
      let bytes = try bytes(JPEGFiles.progressive)
      // The scan of the mean values, changed to one of all their bits, which may be repeated.
      let all = markers(bytes)
      let first = try #require(all.firstIndex { $0.marker == 0xda })
      var scan = Array(bytes[all[first].offset..<all[first + 1].offset])
      scan[1 + Int(scan[3])] = 0
      func repeating(_ count: Int) -> [UInt8] {
        inserting((0..<count).flatMap { _ in scan }, at: all[first].offset, into: bytes)
      }
      #expect(try read(repeating(480)) == read(bytes))
      let error = #expect(throws: ImageError.self) { try read(repeating(500)) }
      #expect(error?.message == "it has more than 500 scans")
    }

    @Test func imagesAboveTheLimitAreRefusedBeforeTheyTakeMemory() throws {
      for base64 in [JPEGFiles.colour, JPEGFiles.progressive] {
        var bytes = try bytes(base64)
        let frame = try #require(markers(bytes).first { (0xc0...0xc2).contains($0.marker) }).offset
        bytes.replaceSubrange(frame + 5..<frame + 9, with: [0xff, 0xdc, 0xff, 0xdc])
        let error = #expect(throws: ImageError.self) { try read(bytes) }
        #expect(error?.kind == .tooLarge)
        #expect(error?.message == "65500x65500 pixels are more than the limit of 67108864")
        bytes.replaceSubrange(frame + 5..<frame + 9, with: [0, 0, 0, 16])
        let empty = #expect(throws: ImageError.self) { try read(bytes) }
        #expect(empty?.kind == .damaged)
      }
    }
  }
}
