import Files

/// A file's bytes, wherever they are.
protocol ByteSource: ~Copyable {
  /// What errors call it.
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
    var failure: FileError?
    let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
      guard let start = buffer.baseAddress else { return }
      do throws(FileError) { count = try read(at: range.lowerBound, count: range.count, into: start) } catch {
        failure = error
      }
    }
    if let failure { throw ImageError(failure, path) }
    guard bytes.count == range.count else { throw ImageError(.damaged, path, "it has become shorter") }
    return bytes
  }
}

/// The part of a source that was looked at last: what is near it needs no other call to the system.
struct ByteWindow {
  private var start = 0
  private var bytes: [UInt8] = []

  /// As much as holds what most files have before their pixels.
  private static let size = 512

  /// - Returns: `nil` if the source ends before.
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

  /// A number whose highest byte comes first.
  mutating func number(
    at offset: Int, bytes count: Int, of source: borrowing some ByteSource & ~Copyable
  ) throws(ImageError) -> Int? {
    try bytes(offset..<offset + count, of: source)?.reduce(0) { $0 << 8 | Int($1) }
  }
}
