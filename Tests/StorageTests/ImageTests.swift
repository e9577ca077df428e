import Foundation
import Images
import TestSupport
import Testing

extension StorageTests {
  @Suite struct ImageTests {
    @Test(arguments: [1, 3, 4])
    func pixelsRoundTrip(channels: Int) throws {
      let folder = try TemporaryFolder()
      var random = TestRandom(state: UInt64(channels))
      let image = Image(width: 19, height: 7, channels: channels, pixels: random.bytes(19 * 7 * channels))
      try PNG.write(image, to: folder.path("image.png"))
      #expect(try ImageReader().read(folder.path("image.png")) == image)
      #expect(try folder.names() == ["image.png"])
    }

    @Test func writingReplacesAnOlderFile() throws {
      let folder = try TemporaryFolder()
      let path = try folder.write([1, 2, 3], to: "image.png")
      try PNG.write(Image(width: 3, height: 1, channels: 1, pixels: [0, 128, 255]), to: path)
      #expect(try ImageReader().read(path).pixels == [0, 128, 255])
    }

    @Test func writingIntoAMissingFolderNamesTheFile() throws {
      let folder = try TemporaryFolder()
      let path = folder.path("nowhere/image.png")
      let error = try #require(throws: ImageError.self) {
        try PNG.write(Image(width: 1, height: 1, channels: 1, pixels: [0]), to: path)
      }
      #expect(error.path == path)
      #expect(error.description.contains("No such file or directory"))
    }

    @Test func unwritableTargetLeavesNoTemporaryFile() throws {
      let folder = try TemporaryFolder()
      let path = folder.path("image.png")
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      #expect(throws: ImageError.self) { try PNG.write(Image(width: 1, height: 1, channels: 1, pixels: [0]), to: path) }
      #expect(try folder.names() == ["image.png"])
    }

    @Test func readingSomethingElseNamesTheFile() throws {
      let folder = try TemporaryFolder()
      let path = try folder.write(Array("this is not an image".utf8), to: "text.png")
      let error = try #require(throws: ImageError.self) { _ = try ImageReader().read(path) }
      #expect(error.path == path)
      #expect(!error.message.isEmpty)
    }

    @Test func readingATruncatedFileIsAnError() throws {
      let folder = try TemporaryFolder()
      var random = TestRandom(state: 9)
      let path = folder.path("image.png")
      try PNG.write(Image(width: 40, height: 40, channels: 1, pixels: random.bytes(40 * 40)), to: path)
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
      let shortened = try folder.write(Array(bytes.prefix(bytes.count / 2)), to: "short.png")
      #expect(throws: ImageError.self) { try ImageReader().read(shortened) }
    }

    @Test func gridPlacesImagesRowByRowWithPaddingAroundThem() {
      let (count, height, width, channels, columns) = (5, 3, 4, 3, 2)
      var random = TestRandom(state: 5)
      let pixels = random.bytes(count * height * width * channels)
      let sheet = ImageGrid.arrange(
        pixels, count: count, height: height, width: width, channels: channels, columns: columns)
      #expect(sheet.width == 2 + 2 * (4 + 2))
      #expect(sheet.height == 2 + 3 * (3 + 2))
      var expected = [UInt8](repeating: 0, count: sheet.width * sheet.height * channels)
      for index in 0..<count {
        for y in 0..<height {
          for x in 0..<width {
            let row = 2 + index / 2 * 5 + y
            let column = 2 + index % 2 * 6 + x
            for channel in 0..<channels {
              expected[(row * sheet.width + column) * channels + channel] =
                pixels[((index * height + y) * width + x) * channels + channel]
            }
          }
        }
      }
      #expect(sheet.pixels == expected)
    }

    @Test func gridOfFewImagesIsNarrow() {
      let sheet = ImageGrid.arrange([9, 8], count: 2, height: 1, width: 1, channels: 1, columns: 8)
      #expect(sheet.width == 8 && sheet.height == 5)
    }
  }
}
