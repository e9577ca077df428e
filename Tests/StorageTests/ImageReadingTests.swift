import Foundation
import Images
import TestSupport
import Testing

extension StorageTests {
  @Suite struct ImageReadingTests {
    private func file(_ base64: String, in folder: TemporaryFolder) throws -> String {
      try folder.write([UInt8](try #require(Data(base64Encoded: base64))), to: "image.jpg")
    }

    /// The compression error of a smooth gradient at quality 95.
    private static let compressionError = 6

    @Test func coloursOfJPEGFilesAreRead() throws {
      let folder = try TemporaryFolder()
      for (base64, kind) in [(JPEGFiles.colour, "colour"), (JPEGFiles.inks, "inks")] {
        let path = try file(base64, in: folder)
        #expect(try ImageReader().header(of: path) == ImageHeader(width: 16, height: 12, channels: 3))
        let image = try ImageReader().read(path)
        for y in 0..<12 {
          for x in 0..<16 {
            for (channel, value) in [10 * x, 12 * y, 6 * (x + y)].enumerated() {
              let read = Int(image.pixels[(y * 16 + x) * 3 + channel])
              #expect(abs(read - value) <= Self.compressionError, "\(kind) \(x) \(y)")
            }
          }
        }
      }
    }

    @Test func greyJPEGFilesHaveOneChannel() throws {
      let folder = try TemporaryFolder()
      let path = try file(JPEGFiles.grey, in: folder)
      #expect(try ImageReader().header(of: path) == ImageHeader(width: 16, height: 12, channels: 1))
      let image = try ImageReader().read(path)
      // The values read by Pillow.
      #expect([image.pixels[0], image.pixels[5 * 16 + 9], image.pixels[11 * 16 + 15]] == [0, 72, 140])
    }

    @Test func contentsDetermineTheFormat() throws {
      let folder = try TemporaryFolder()
      try PNG.write(Image(width: 1, height: 1, channels: 3, pixels: [1, 2, 3]), to: folder.path("image.jpg"))
      #expect(try ImageReader().read(folder.path("image.jpg")).pixels == [1, 2, 3])
      #expect(try ImageReader().header(of: folder.path("image.jpg")) == ImageHeader(width: 1, height: 1, channels: 3))
      let text = try folder.write(Array("no image at all".utf8), to: "text.png")
      for read in [{ _ = try ImageReader().read($0) }, { _ = try ImageReader().header(of: $0) }]
        as [(String) throws -> Void]
      {
        let error = #expect(throws: ImageError.self) { try read(text) }
        #expect(error?.message == "this is neither a PNG nor a JPEG file")
      }
      let missing = #expect(throws: ImageError.self) { try ImageReader().read(folder.path("none.png")) }
      #expect(missing?.kind == .inaccessible && missing?.message == "No such file or directory")
      #expect(throws: ImageError.self) { try ImageReader().read(folder.path("")) }
    }

    @Test(arguments: [(12, 12, 4), (13, 9, 4), (9, 13, 5), (16, 16, 15), (7, 7, 7), (50, 31, 1)])
    func reducedPixelsAreMeansOfTheirAreas(width: Int, height: Int, side: Int) {
      var random = TestRandom(state: UInt64(width * height))
      let image = Image(width: width, height: height, channels: 3, pixels: random.bytes(width * height * 3))
      let result = image.square(side: side)
      #expect(result.width == side && result.height == side)
      let crop = min(width, height)
      let scale = Double(crop) / Double(side)
      /// The fraction of a source pixel between two positions.
      func share(_ pixel: Int, _ start: Double, _ end: Double) -> Double {
        max(0, min(end, Double(pixel + 1)) - max(start, Double(pixel)))
      }
      for y in 0..<side {
        for x in 0..<side {
          for channel in 0..<3 {
            var sum = 0.0
            for v in 0..<crop {
              for u in 0..<crop {
                let index = (((height - crop) / 2 + v) * width + (width - crop) / 2 + u) * 3 + channel
                sum +=
                  share(u, Double(x) * scale, Double(x + 1) * scale)
                  * share(v, Double(y) * scale, Double(y + 1) * scale)
                  * Double(image.pixels[index])
              }
            }
            // Halves may be rounded either way because of rounding errors in this sum.
            #expect(abs(Double(result.pixels[(y * side + x) * 3 + channel]) - sum / scale / scale) < 0.5 + 1e-9)
          }
        }
      }
    }

    @Test func enlargedPixelsAreInterpolatedLinearly() {
      let image = Image(width: 2, height: 2, channels: 1, pixels: [0, 80, 40, 120])
      // Pixel centres within a quarter: at the edge, and at a quarter and three quarters of the distance.
      let expected: [UInt8] = [0, 20, 60, 80, 10, 30, 70, 90, 30, 50, 90, 110, 40, 60, 100, 120]
      #expect(image.square(side: 4).pixels == expected)
      let even = Image(width: 3, height: 3, channels: 1, pixels: [UInt8](repeating: 77, count: 9))
      #expect(Set(even.square(side: 10).pixels) == [77])
    }

    @Test func transparentPixelsAreBlendedWithTheBackgroundOrRefused() {
      let image = Image(width: 2, height: 1, channels: 4, pixels: [100, 0, 255, 51, 1, 2, 3, 255])
      #expect(image.withoutOpacity(background: nil) == nil)
      #expect(image.withoutOpacity(background: 255)?.pixels == [224, 204, 255, 1, 2, 3])
      #expect(image.withoutOpacity(background: 0)?.pixels == [20, 0, 51, 1, 2, 3])
      let opaque = Image(width: 1, height: 1, channels: 4, pixels: [9, 8, 7, 255])
      #expect(!opaque.isTransparent && opaque.withoutOpacity(background: nil)?.pixels == [9, 8, 7])
      let greyish = Image(width: 3, height: 1, channels: 2, pixels: [100, 51, 7, 255, 9, 0])
      #expect(greyish.isTransparent && greyish.withoutOpacity(background: nil) == nil)
      #expect(
        greyish.withoutOpacity(background: 255) == Image(width: 3, height: 1, channels: 1, pixels: [224, 7, 255]))
      let grey = Image(width: 2, height: 1, channels: 1, pixels: [5, 6])
      #expect(grey.withoutOpacity(background: nil) == grey && grey.inColour.pixels == [5, 5, 5, 6, 6, 6])
    }

    @Test func coloursBecomeTheirLuma() {
      // By ITU-R BT.601, like Pillow: 0.299 R + 0.587 G + 0.114 B.
      let image = Image(
        width: 5, height: 1, channels: 3, pixels: [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 10, 20, 30])
      #expect(image.inGrey == Image(width: 5, height: 1, channels: 1, pixels: [76, 150, 29, 255, 18]))
      #expect(image.inGrey.inGrey == image.inGrey)
    }
  }
}
