import CZlib
import Failures
import Files

/// A file that could not be read or decompressed.
package struct CompressionError: JobEndingError, Equatable, CustomStringConvertible {
  package let path: String
  package let message: String

  package var exitStatus: ExitStatus { .badInput }
  package var description: String { "\(path): \(message)" }
}

/// The contents of a file, decompressed if it is in the gzip format (RFC 1952), and unchanged otherwise.
///
/// A gzip file may have several members, whose contents are concatenated, and trailing zeros. Throws if the file cannot
/// be read, is truncated, does not match its checksums, or expands beyond `UnpackedLimit`.
package func gunzip(contentsOf path: String) throws(CompressionError) -> [UInt8] {
  let input: [UInt8]
  do { input = try readBytes(at: path) } catch { throw CompressionError(path: path, message: error.reason) }
  guard input.starts(with: gzipMagic) else { return input }
  let outcome = input.withUnsafeBytes { bytes in
    Result { () throws(CompressionError) in
      var decompressor = try GzipDecompressor(bytes, path: path)
      return try decompressor.run()
    }
  }
  return try outcome.get()
}

private let gzipMagic: [UInt8] = [0x1f, 0x8b]

private struct GzipDecompressor: ~Copyable {
  /// On the heap, since zlib keeps the address that it was initialised with.
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let input: UnsafeRawBufferPointer
  private var offset = 0
  private let path: String

  /// The number of bytes passed to zlib at a time; its counters have 32 bits.
  private static let pieceSize = 1 << 20

  init(_ input: UnsafeRawBufferPointer, path: String) throws(CompressionError) {
    self.input = input
    self.path = path
    stream.initialize(to: z_stream())
    guard ddpm_zlib_start_gunzip(stream) == Z_OK else {
      throw CompressionError(path: path, message: "zlib cannot be initialised")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// The contents of all members.
  mutating func run() throws(CompressionError) -> [UInt8] {
    var output: [UInt8] = []
    let limit = UnpackedLimit.bytes(ofStored: input.count)
    var piece = [UInt8](repeating: 0, count: Self.pieceSize)
    while true {
      let available = min(input.count - offset, Self.pieceSize)
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: input.baseAddress!.advanced(by: offset).assumingMemoryBound(to: UInt8.self))
      stream.pointee.avail_in = UInt32(available)
      let status = piece.withUnsafeMutableBufferPointer { piece in
        stream.pointee.next_out = piece.baseAddress
        stream.pointee.avail_out = UInt32(piece.count)
        return inflate(stream, Z_NO_FLUSH)
      }
      offset += available - Int(stream.pointee.avail_in)
      guard output.count <= limit - Self.pieceSize else {
        throw CompressionError(
          path: path,
          message:
            "\(input.count) bytes unpack to more than the limit of \(limit); \(UnpackedLimit.advice), or unpack them with "
            + "gunzip and use the unpacked file")
      }
      output.append(contentsOf: piece.prefix(Self.pieceSize - Int(stream.pointee.avail_out)))
      switch status {
      case Z_STREAM_END: if try !startNextMember() { return output }
      case Z_OK: continue
      case Z_BUF_ERROR where offset == input.count: throw failure("the gzip data end too soon")
      default: throw failure("the gzip data are corrupt")
      }
    }
  }

  /// Whether another member follows.
  private func startNextMember() throws(CompressionError) -> Bool {
    let rest = input[offset...]
    if rest.allSatisfy({ $0 == 0 }) { return false }
    guard rest.starts(with: gzipMagic) else { throw failure("there are other data after the gzip data") }
    guard inflateReset(stream) == Z_OK else { throw failure("zlib cannot be reset") }
    return true
  }

  private func failure(_ summary: String) -> CompressionError {
    let detail = stream.pointee.msg.map { " (\(String(cString: $0)))" } ?? ""
    return CompressionError(path: path, message: summary + detail)
  }
}
