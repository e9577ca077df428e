import Files

/// The bytes of a file, on the disk or in memory.
struct ImageBytes {
  /// The name in error messages.
  let name: String
  let size: Int
  /// nil if all bytes are in memory.
  private let file: OpenedFile?
  /// The bytes that were read last, from `start` on, or all of them: nearby bytes need no further system call.
  private var window: [UInt8]
  private var start = 0

  /// Enough for everything before the pixels in most files.
  private static let windowSize = 512

  /// - Parameter contents: the bytes; nil for those of the file `name`.
  init(_ name: String, contents: [UInt8]?) throws(ImageError) {
    self.name = name
    file = try contents == nil ? OpenedFile(name) : nil
    window = contents ?? []
    size = file?.size ?? contents?.count ?? 0
  }

  /// - Returns: nil if the file is shorter.
  mutating func bytes(_ range: Range<Int>) throws(ImageError) -> ArraySlice<UInt8>? {
    guard range.upperBound <= size else { return nil }
    if range.lowerBound < start || range.upperBound > start + window.count, let file {
      window = try file.bytes(range.lowerBound..<max(range.upperBound, min(range.lowerBound + Self.windowSize, size)))
      start = range.lowerBound
    }
    return window[range.lowerBound - start..<range.upperBound - start]
  }

  /// A big-endian number; nil if the file is shorter.
  mutating func number(at offset: Int, bytes count: Int) throws(ImageError) -> Int? {
    try bytes(offset..<offset + count)?.reduce(0) { $0 << 8 | Int($1) }
  }

  func all() throws(ImageError) -> [UInt8] {
    if let file { return try file.bytes(0..<size) }
    return window
  }
}

private final class OpenedFile {
  private let file: RegularFile

  init(_ path: String) throws(ImageError) {
    do { file = try RegularFile(path) } catch { throw ImageError(error, path) }
  }

  var size: Int { file.size }

  func bytes(_ range: Range<Int>) throws(ImageError) -> [UInt8] {
    let bytes: [UInt8]
    do {
      bytes = try file.bytes(from: range.lowerBound, count: range.count)
    } catch {
      throw ImageError(error, file.path)
    }
    guard bytes.count == range.count else { throw ImageError(.damaged, file.path, "it has become shorter") }
    return bytes
  }
}
