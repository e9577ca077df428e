import Compression
import Foundation
import TestSupport
import Testing

extension StorageTests {
  @Suite struct CompressionTests {
    /// The output of gzip for "hello, hello, hello
    /// ".
    private static let hello: [UInt8] = [
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7, 0x51, 0xc8, 0x40,
      0xa2, 0xb8, 0x00, 0xe7, 0x42, 0x6e, 0x52, 0x14, 0x00, 0x00, 0x00,
    ]
    private static let helloText = Array("hello, hello, hello\n".utf8)

    /// A gzip member that stores the bytes uncompressed (RFC 1951, section 3.2.4).
    private func storedMember(_ bytes: [UInt8]) -> [UInt8] {
      func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
      }
      var member: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
      for start in stride(from: 0, to: bytes.count, by: 65_535) {
        let block = bytes[start..<min(start + 65_535, bytes.count)]
        let length = UInt16(block.count)
        member += [block.endIndex == bytes.count ? 1 : 0] + littleEndian(length) + littleEndian(~length) + block
      }
      return member + littleEndian(crc32(bytes)) + littleEndian(UInt32(bytes.count))
    }

    @Test func compressedFileIsDecompressed() throws {
      let folder = try TemporaryFolder()
      #expect(try gunzip(contentsOf: try folder.write(Self.hello, to: "hello.gz")) == Self.helloText)
    }

    @Test func membersFollowOneAnotherAndZerosMayFollowThem() throws {
      let folder = try TemporaryFolder()
      let bytes = Self.hello + Self.hello + [0, 0, 0]
      #expect(try gunzip(contentsOf: try folder.write(bytes, to: "two.gz")) == Self.helloText + Self.helloText)
    }

    @Test func fileOfSeveralMegabytes() throws {
      let folder = try TemporaryFolder()
      var random = TestRandom(state: 4)
      let bytes = random.bytes(2_500_000)
      #expect(
        try gunzip(contentsOf: try folder.write(storedMember(bytes) + Self.hello, to: "large.gz")) == bytes
          + Self.helloText)
    }

    @Test func everyTruncationIsAnError() throws {
      let folder = try TemporaryFolder()
      for length in 2..<Self.hello.count {
        let path = try folder.write(Array(Self.hello.prefix(length)), to: "short.gz")
        let error = try #require(throws: CompressionError.self) { _ = try gunzip(contentsOf: path) }
        #expect(error.description == "\(path): the gzip data end too soon", "\(length)")
      }
    }

    @Test func changedContentsAreAnError() throws {
      let folder = try TemporaryFolder()
      for offset in [12, 23, Self.hello.count - 1] {
        var bytes = Self.hello
        bytes[offset] ^= 0x10
        let path = try folder.write(bytes, to: "corrupt.gz")
        let error = try #require(throws: CompressionError.self) { _ = try gunzip(contentsOf: path) }
        #expect(error.description.hasPrefix("\(path): the gzip data are corrupt"))
      }
    }

    @Test func trailingBytesAreAnError() throws {
      let folder = try TemporaryFolder()
      let path = try folder.write(Self.hello + [1, 2, 3], to: "tail.gz")
      #expect(throws: CompressionError.self) { try gunzip(contentsOf: path) }
    }

    @Test func plainFilesPassThrough() throws {
      let folder = try TemporaryFolder()
      for bytes in [[], [0x1f], Array("plain".utf8)] as [[UInt8]] {
        #expect(try gunzip(contentsOf: try folder.write(bytes, to: "plain")) == bytes)
      }
    }

    @Test func missingFileIsNamed() throws {
      let folder = try TemporaryFolder()
      let error = try #require(throws: CompressionError.self) { _ = try gunzip(contentsOf: folder.path("missing")) }
      #expect(error.description == "\(folder.path("missing")): No such file or directory")
    }

    @Test func checksumOfTheStandardText() {
      #expect(crc32(Array("123456789".utf8)) == 0xCBF4_3926)
      #expect(crc32([]) == 0)
      #expect(crc32([], seed: 5) == 5)
    }

    @Test func checksumsOfPartsCombine() {
      var random = TestRandom(state: 3)
      let bytes = random.bytes(1000)
      let whole = crc32(bytes)
      for piece in [0, 1, 333, 999, 1000] {
        let first = crc32(Array(bytes[..<piece]))
        let second = crc32(Array(bytes[piece...]))
        #expect(crc32Combine(first, second, lengthOfSecond: 1000 - piece) == whole)
        #expect(crc32(Array(bytes[piece...]), seed: first) == whole)
      }
    }

    private func crc32(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
      bytes.withUnsafeBytes { Compression.crc32($0, seed: seed) }
    }
  }
}
