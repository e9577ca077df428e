import Foundation
import Interchange
import TestSupport
import Testing

/// Files that NumPy and Python write but this program does not.
@Suite struct FilesOfOtherProgramsTests {
  private func data(_ text: String) throws -> Data { try #require(Data(base64Encoded: text)) }

  /// A file that exists while `body` runs.
  private func withFile<Result>(_ contents: Data, _ body: (String) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      let path = folder + "/file"
      try contents.write(to: URL(filePath: path))
      return try body(path)
    }
  }

  // MARK: .npz

  @Test func wholeNumbersOfEveryWidthAndByteOrderAreRead() throws {
    let archive = try NumpyArchive(data(arraysByNumPy), path: "x.npz")
    let names = archive.names.filter {
      $0.hasSuffix("1") || $0.hasSuffix("2") || $0.hasSuffix("4") || $0.hasSuffix("8")
    }
    #expect(names.count == 14)
    for name in names {
      #expect(try archive.integers(name) == [100, 0, 3, 2], "\(name)")
      #expect(archive.shape(name) == [2, 2])
    }
    #expect(try archive.integers("columns") == [0, 1, 2, 3, 4, 5])
    #expect(try archive.bytes("bytes") == [0, 1, 2, 3, 4, 5] && archive.type("bytes") == "|u1")
    #expect(try archive.integers("booleans") == [1, 0])
    for name in ["large", "fractions", "texts", "nothing"] {
      #expect(throws: InterchangeError.self) { try archive.integers(name) }
    }
    #expect(throws: InterchangeError.self) { try archive.bytes("booleans") }
  }

  @Test func stringsAreRead() throws {
    let archive = try NumpyArchive(data(arraysByNumPy), path: "x.npz")
    #expect(try archive.texts("texts") == ["cat", "dög", ""])
    #expect(try archive.texts("big-texts") == ["cat", "dög", ""])
    #expect(try archive.texts("byte-texts") == ["cat", "dög"])
    for name in ["latin", "bytes"] { #expect(throws: InterchangeError.self) { try archive.texts(name) } }
  }

  // MARK: .npy

  @Test func anArrayIsReadInPieces() throws {
    try withFile(data(arrayByNumPy)) { path in
      let file = try NumpyFile(readingFrom: path)
      #expect(file.shape == [3, 2, 2] && file.type == "|u1" && !file.isColumnMajor && file.elementBytes == 12)
      var bytes = [UInt8](repeating: 99, count: 5)
      try bytes.withUnsafeMutableBytes { try file.read(at: 7, into: $0) }
      #expect(bytes == [7, 8, 9, 10, 11])
      #expect(throws: InterchangeError.self) {
        try bytes.withUnsafeMutableBytes { try file.read(at: 8, into: $0) }
      }
    }
    #expect(throws: InterchangeError.self) { try withFile(Data("nothing".utf8)) { try NumpyFile(readingFrom: $0) } }
    #expect(throws: InterchangeError.self) { try NumpyFile(readingFrom: "/nowhere.npy") }
  }

  // MARK: ZIP

  @Test func membersAreReadOneByOne() throws {
    try withFile(data(archiveByPython)) { path in
      let archive = try ZipFile(path)
      #expect(archive.members.map(\.name) == ["a/one.txt", "two.txt", "b/", "ö.txt"])
      #expect(archive.members.map(\.size) == [150, 3, 0, 6])
      let texts = try archive.members.map { String(decoding: try archive.read($0), as: UTF8.self) }
      #expect(texts == [String(repeating: "one", count: 50), "two", "", "umlaut"])
    }
  }

  @Test func damagedArchivesAreRefused() throws {
    let whole = try data(archiveByPython)
    for contents in [Data(), whole.dropLast(9), Data("nothing".utf8)] {
      #expect(throws: InterchangeError.self) { try withFile(Data(contents)) { _ = try ZipFile($0) } }
    }
    // In the compressed bytes of the first member.
    var changed = whole
    changed[changed.startIndex + 42] ^= 0x10
    try withFile(changed) { path in
      let archive = try ZipFile(path)
      let error = #expect(throws: InterchangeError.self) { try archive.read(archive.members[0]) }
      #expect(error?.problem.contains("a/one.txt") == true)
      #expect(try archive.read(archive.members[1]) == Array("two".utf8))
    }
    #expect(throws: InterchangeError.self) { try ZipFile("/nowhere.zip") }
  }
}
