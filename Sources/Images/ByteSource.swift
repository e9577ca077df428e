import Files

/// The bytes of a file, on the disk or in memory.
protocol ByteSource: ~Copyable {
  /// The name in error messages.
  var name: String { get }
  var size: Int { get }

  /// Some of its bytes.
  /// - Parameter range: within 0..<`size`.
  func bytes(in range: Range<Int>) throws(ImageError) -> [UInt8]
}

struct BytesInMemory: ByteSource {
  let name: String
  let bytes: [UInt8]

  var size: Int { bytes.count }

  func bytes(in range: Range<Int>) -> [UInt8] { range == bytes.indices ? bytes : Array(bytes[range]) }
}

extension RegularFile: ByteSource {
  var name: String { path }

  func bytes(in range: Range<Int>) throws(ImageError) -> [UInt8] {
    let bytes: [UInt8]
    do { bytes = try self.bytes(from: range.lowerBound, count: range.count) } catch { throw ImageError(error, path) }
    guard bytes.count == range.count else { throw ImageError(.damaged, path, "it has become shorter") }
    return bytes
  }
}

/// The part of a source that was read last: nearby bytes need no further system call.
struct ByteWindow {
  private var start = 0
  private var bytes: [UInt8] = []

  /// Enough for everything before the pixels in most files.
  private static let size = 512

  /// - Returns: nil if the source is shorter.
  mutating func bytes(
    _ range: Range<Int>, of source: borrowing some ByteSource & ~Copyable
  ) throws(ImageError) -> ArraySlice<UInt8>? {
    guard range.upperBound <= source.size else { return nil }
    if range.lowerBound < start || range.upperBound > start + bytes.count {
      let end = max(range.upperBound, min(range.lowerBound + Self.size, source.size))
      bytes = try source.bytes(in: range.lowerBound..<end)
      start = range.lowerBound
    }
    return bytes[range.lowerBound - start..<range.upperBound - start]
  }

  /// A big-endian number.
  mutating func number(
    at offset: Int, bytes count: Int, of source: borrowing some ByteSource & ~Copyable
  ) throws(ImageError) -> Int? {
    try bytes(offset..<offset + count, of: source)?.reduce(0) { $0 << 8 | Int($1) }
  }
}
