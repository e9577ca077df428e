import Foundation
import Images
import TestSupport
import Testing

/// Image k of a seed is the same in every drawing, file, sheet and video.
struct ImageNumberTests {
  private static let side = 32

  private func image(_ path: String) throws -> Image { try ImageReader().read(path) }

  /// The cell of a sheet, in a row and column.
  private func cell(_ sheet: Image, _ row: Int, _ column: Int) -> [UInt8] {
    let (side, pitch) = (Self.side, Self.side + ImageGrid.padding)
    let (top, left) = (ImageGrid.padding + row * pitch, ImageGrid.padding + column * pitch)
    return (0..<side).flatMap { line -> ArraySlice<UInt8> in
      let start = ((top + line) * sheet.width + left) * sheet.channels
      return sheet.pixels[start..<start + side * sheet.channels]
    }
  }

  @Test func partOfTheImagesEqualsThatOfAllImages() async throws {
    let folder = try TemporaryFolder()
    let sample: Words = "sample --checkpoint \(try await Fixture.run.made) --steps 3 --float"
    try await ddpm(
      "\(sample) --count 5 --output \(folder)/all.h5 --grid \(folder)/all.png --images \(folder)/all"
    ).succeeds(saying: #/Wrote .*all\.h5 and .*all\.png and .*all; /#)
    try await ddpm(
      "\(sample) --batch 1 --count 2 --first 3 --output \(folder)/part.h5 --images \(folder)/part", ranks: 2
    ).succeeds(saying: "Wrote")

    let (all, part) = (folder.path("all.h5"), folder.path("part.h5"))
    let images = try HDF5Contents.read("images", of: all, as: UInt8.self)
    let partOfImages = try HDF5Contents.read("images", of: part, as: UInt8.self)
    for (whole, rows) in [("samples", 5), ("latents", 5)] {
      let (a, b) = (
        try HDF5Contents.read(whole, of: all, as: Float.self), try HDF5Contents.read(whole, of: part, as: Float.self)
      )
      #expect(a.shape[0] == rows && b.shape[0] == 2)
      for row in 0..<2 { #expect(a[row: 3 + row] == b[row: row], "\(whole)") }
    }
    for row in 0..<2 { #expect(images[row: 3 + row] == partOfImages[row: row]) }
    #expect(try HDF5Contents.integer("first", of: all) == nil)
    #expect(try HDF5Contents.integer("first", of: part) == 3)
    #expect(try folder.names(in: "all") == (0..<5).map { "00000\($0).png" })
    #expect(try folder.names(in: "part") == ["000003.png", "000004.png"])
    let sheet = try image(folder.path("all.png"))
    for index in 0..<5 {
      #expect(try image(folder.path("all/00000\(index).png")).pixels == Array(images[row: index]))
      #expect(cell(sheet, index / 3, index % 3) == Array(images[row: index]))
    }
  }

  /// Pictures after 0, 2, 4 and all 5 steps.
  @Test func pathsLeadFromNoiseToImage() async throws {
    let folder = try TemporaryFolder()
    try await ddpm(
      """
      sample --checkpoint \(try await Fixture.run.made) --steps 5 --batch 1 --count 3 --first 7 --every 2 --float
      --output \(folder)/paths.h5 --grid \(folder)/paths.png --images \(folder)/paths
      """, ranks: 2
    ).succeeds(saying: "Wrote")
    let sheet = try image(folder.path("paths.png"))
    // Three rows of four cells of 34 pixels, and a margin.
    #expect(sheet.shape == [104, 138, 3])
    #expect(try folder.names(in: "paths") == ["000007", "000008", "000009"])
    let images = try HDF5Contents.read("images", of: folder.path("paths.h5"), as: UInt8.self)
    let latents = try HDF5Contents.read("latents", of: folder.path("paths.h5"), as: Float.self)
    for row in 0..<3 {
      let film = "paths/00000\(7 + row)"
      #expect(try folder.names(in: film) == (0..<4).map { "000\($0).png" })
      let frames = try (0..<4).map { try image(folder.path("\(film)/000\($0).png")).pixels }
      for (column, frame) in frames.enumerated() { #expect(frame == cell(sheet, row, column)) }
      // Values from −1 to 1 are bytes from 0 to 255, rounded.
      let noise = latents[row: row].map { min(max((($0 + 1) * 127.5 + 0.5).rounded(.down), 0), 255) }
      let largest = zip(frames[0], noise).map { abs(Float($0) - $1) }.max()
      #expect(try #require(largest) <= 1)
      #expect(frames[3] == Array(images[row: row]))
      #expect(frames[1] != frames[2])
    }
  }
}
