import Compression
import Files

/// The last bytes of a file, which show whether the file is complete and whether anything in it other than its contents
/// has changed. They are checked before the HDF5 library opens the file: the library trusts what it reads, and may
/// crash or never return on a damaged file.
///
/// The contents, such as tensors or images, have checksums of their own, which identify what is damaged; the seal
/// covers everything between them. HDF5 ignores bytes after its own data. As little-endian numbers: for each range of
/// contents, in order, the position of its first byte in the file (8 bytes) and its length (8); the number of ranges
/// (8); the length of the file before the seal (8); the CRC-32 of all bytes outside the contents and of the seal so far
/// (4); `ddpm-mpi` (8).
package struct FileSeal {
  /// The ranges of the file's contents, in order and without overlap.
  let contents: [Range<Int>]
  /// The length of the file without the seal.
  let length: Int
  /// The checksum of all bytes outside the contents, and of the two fields above.
  let checksum: UInt32

  private static let magic = Array("ddpm-mpi".utf8)
  private static let endSize = 8 + 8 + 4 + 8

  /// Adds a seal to a file that has none.
  /// - Parameter contents: ranges of bytes that have checksums of their own.
  package static func add(to path: String, contents: [Range<Int>]) throws(HDF5Error) {
    let contents = contents.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
    do throws(FileError) {
      let file = try RegularFile(path)
      let seal = FileSeal(
        contents: contents, length: file.size, checksum: try checksum(of: file, contents: contents, length: file.size))
      var end = try AppendedFile(path: path)
      try end.append(seal.bytes)
    } catch { throw HDF5Error(error, path) }
  }

  /// Whether a file has a seal.
  /// - Throws: `HDF5Error` if the seal does not match (`damaged`), or the file cannot be read.
  package static func isOn(_ path: String) throws(HDF5Error) -> Bool {
    let isWhole: Bool
    do throws(FileError) {
      let file = try RegularFile(path)
      guard let seal = try read(from: file) else { return false }
      isWhole = try checksum(of: file, contents: seal.contents, length: seal.length) == seal.checksum
    } catch { throw HDF5Error(error, path) }
    guard isWhole else {
      throw HDF5Error(
        "seal", path, .damaged, "it is damaged outside of its tensors or images: the checksum does not match")
    }
    return true
  }

  /// Verifies a file's seal.
  /// - Throws: `HDF5Error` if the file has no seal (`unsealed`), was changed (`damaged`), or cannot be read.
  package static func verify(_ path: String) throws(HDF5Error) {
    if try isOn(path) { return }
    guard HDF5File.hasSignature(path) else { throw HDF5Error.withoutSignature("seal", path) }
    throw HDF5Error(
      "seal", path, .unsealed, "it has no seal at its end: it is truncated, or not written by this version of ddpm-mpi"
    )
  }

  private static func read(from file: borrowing RegularFile) throws(FileError) -> FileSeal? {
    guard file.size > endSize else { return nil }
    let end = try file.bytes(in: file.size - endSize..<file.size)
    guard Array(end.suffix(magic.count)) == magic else { return nil }
    let count = number(end, at: 0)
    let length = number(end, at: 8)
    guard count >= 0, count < file.size / 16, length == file.size - endSize - 16 * count else { return nil }
    let table = try file.bytes(in: length..<length + 16 * count)
    var contents: [Range<Int>] = []
    for index in 0..<count {
      let (start, size) = (number(table, at: 16 * index), number(table, at: 16 * index + 8))
      guard start >= contents.last?.upperBound ?? 0, size > 0, start <= length, size <= length - start else {
        return nil
      }
      contents.append(start..<start + size)
    }
    let checksum = UInt32(truncatingIfNeeded: number(end[16..<20] + [0, 0, 0, 0], at: 0))
    return FileSeal(contents: contents, length: length, checksum: checksum)
  }

  private var bytes: [UInt8] { Self.table(contents, length: length) + Self.bytes(checksum) + Self.magic }

  private static func checksum(
    of file: borrowing RegularFile, contents: [Range<Int>], length: Int
  ) throws(FileError) -> UInt32 {
    var result: UInt32 = 0
    func add(_ bytes: [UInt8]) {
      result = bytes.withUnsafeBytes { crc32($0, seed: result) }
    }
    var offset = 0
    for range in contents + [length..<length] {
      // In pieces, since there may be much data between contents.
      while offset < range.lowerBound {
        let end = min(range.lowerBound, offset + 1 << 20)
        add(try file.bytes(in: offset..<end))
        offset = end
      }
      offset = range.upperBound
    }
    add(table(contents, length: length))
    return result
  }

  private static func table(_ contents: [Range<Int>], length: Int) -> [UInt8] {
    contents.flatMap { bytes(UInt64($0.lowerBound)) + bytes(UInt64($0.count)) } + bytes(UInt64(contents.count))
      + bytes(UInt64(length))
  }

  private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian, Array.init)
  }

  /// Eight bytes as a number; negative for a value that is impossible in a file.
  private static func number(_ bytes: some Collection<UInt8>, at offset: Int) -> Int {
    let word = bytes.dropFirst(offset).prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(exactly: word) ?? -1
  }
}
