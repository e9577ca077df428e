import Files
import Foundation
import TestSupport
import Testing

@Suite struct RegularFileTests {
  private let temporary: TemporaryFolder
  private var folder: String { temporary.path }

  init() throws { temporary = try TemporaryFolder() }

  private func path(_ name: String) -> String { "\(folder)/\(name)" }

  private func error(_ body: () throws -> Void) -> FileError? {
    do {
      try body()
      return nil
    } catch { return error as? FileError }
  }

  @Test func fileIsReadWhole() throws {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
    try Data(bytes).write(to: URL(fileURLWithPath: path("a")))
    #expect(try readBytes(at: path("a")) == bytes)
    #expect(try RegularFile(path("a")).bytes(first: 3) == [0, 1, 2])
    #expect([UInt8](try RegularFile(path("a")).mapped()) == bytes)
    var part = [UInt8](repeating: 9, count: 4)
    #expect(try part.withUnsafeMutableBytes { try RegularFile(path("a")).read(at: 99_998, into: $0) } == 2)
    #expect(part[2...] == [9, 9])
  }

  @Test func emptyFileIsRead() throws {
    try Data().write(to: URL(fileURLWithPath: path("a")))
    #expect(try readBytes(at: path("a")) == [])
    #expect(try RegularFile(path("a")).mapped().count == 0)
  }

  @Test func pipesDevicesAndFoldersAreRefusedAtOnce() {
    mkfifo(path("pipe"), 0o600)
    symlink(path("pipe"), path("link"))
    for special in [path("pipe"), path("link"), "/dev/zero", folder] {
      #expect(error { _ = try readBytes(at: special) }?.kind == .notRegular, "\(special)")
    }
  }

  @Test func pathsWithoutAFileAreMissing() {
    for name in [path("none"), "", path("a\0b")] {
      #expect(error { _ = try readBytes(at: name) }?.kind == .missing, "\(name)")
    }
  }

  @Test func limitIsCheckedBeforeReading() throws {
    // Sparse, without blocks on the disk; reading it would take a terabyte of memory.
    let file = open(path("large"), O_WRONLY | O_CREAT, 0o600)
    #expect(ftruncate(file, 1 << 40) == 0)
    close(file)
    let failure = error { _ = try readBytes(at: path("large"), limit: 1 << 20) }
    #expect(failure?.kind == .tooLarge)
    #expect(failure?.reason == "it has 1099511627776 bytes, more than the limit of 1048576")
  }

  @Test func textMustBeUTF8() throws {
    try Data([0xff, 0xfe]).write(to: URL(fileURLWithPath: path("a")))
    #expect(error { _ = try readText(at: path("a")) }?.reason == "it is not UTF-8 text")
  }
}
