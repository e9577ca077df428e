import Foundation
import Interchange
import Testing

@Suite struct NumpyArchiveTests {
  private let arrays = [
    NumpyArchive.Array("matrix", shape: [2, 3], [1, -2, 3.5, 0, .infinity, 0x1p-1040]),
    NumpyArchive.Array("vector", shape: [1], [0.1]), NumpyArchive.Array("empty", shape: [0, 4], []),
    NumpyArchive.Array("count", integer: -7), NumpyArchive.Array("words", text: "Bińkowski 𝄞"),
    NumpyArchive.Array("nothing", text: ""),
  ]

  private func file(_ arrays: [NumpyArchive.Array]) throws -> Data {
    try NumpyArchive.contents(of: arrays, path: "x.npz")
  }

  @Test func writtenFilesAreReadBack() throws {
    let contents = try file(arrays)
    let read = try NumpyArchive(contents, path: "x.npz")
    #expect(read.names == ["count", "empty", "matrix", "nothing", "vector", "words"])
    #expect(read.shape("matrix") == [2, 3] && read.shape("count") == [] && read.shape("none") == nil)
    #expect(try read.doubles("matrix") == [1, -2, 3.5, 0, .infinity, 0x1p-1040])
    #expect(try read.doubles("vector") == [0.1])
    #expect(try read.doubles("empty") == [])
    #expect(try read.integer("count") == -7)
    #expect(try read.text("words") == "Bińkowski 𝄞")
    #expect(try read.text("nothing") == "")
  }

  @Test func equalArraysGiveEqualBytes() throws {
    #expect(try file(arrays) == file(arrays))
  }

  @Test func arraysOfAnotherTypeOrShapeAreRefused() throws {
    let read = try NumpyArchive(try file(arrays), path: "x.npz")
    #expect(throws: InterchangeError.self) { try read.doubles("count") }
    #expect(throws: InterchangeError.self) { try read.integer("matrix") }
    #expect(throws: InterchangeError.self) { try read.text("vector") }
    #expect { try read.doubles("sigma") } throws: {
      "\($0)".hasPrefix("x.npz: has no array sigma, but count, empty, matrix, nothing, vector, words; ")
    }
  }

  @Test func aFileTruncatedAnywhereIsRefused() throws {
    let contents = try file(arrays)
    for count in 0..<contents.count {
      #expect { try NumpyArchive(contents.prefix(count), path: "x.npz") } throws: {
        "\($0)".hasPrefix("x.npz: ") && $0 is InterchangeError
      }
    }
  }

  /// A change may only go unnoticed where it does not matter, such as in a time.
  @Test func aFileChangedAnywhereIsRefusedOrHasTheSameContents() throws {
    let contents = try file(arrays)
    var refused = 0
    for index in contents.indices {
      var changed = contents
      changed[index] ^= 0x55
      do {
        let read = try NumpyArchive(changed, path: "x.npz")
        for name in ["matrix", "vector", "empty"] where read.names.contains(name) {
          let expected: [String: [Double]] = [
            "matrix": [1, -2, 3.5, 0, .infinity, 0x1p-1040], "vector": [0.1], "empty": [],
          ]
          #expect(try read.doubles(name) == expected[name])
        }
      } catch { refused += 1 }
    }
    // Elements and headers are covered by a checksum.
    #expect(refused > contents.count / 2)
  }

  @Test func aMissingFileIsNamed() {
    #expect { try NumpyArchive(readingFrom: "/nowhere/x.npz") } throws: {
      "\($0)".contains("/nowhere/x.npz: there is no such file")
    }
  }
}
