import CZip
import Files
import FoundationEssentials
import Glibc

/// ZIP archives in memory, read and written by libzip.
enum ZipArchive {
  typealias Member = (name: String, bytes: [UInt8])

  /// All members in the archive's order.
  /// - Throws: `InterchangeError` if the archive is damaged; the members' checksums are verified.
  static func members(of contents: Data, path: String) throws(InterchangeError) -> [Member] {
    let outcome = contents.withUnsafeBytes { bytes in
      Result { () throws(InterchangeError) -> [Member] in
        let reader = try ZipReader(bytes, path: path)
        let limit = UnpackedLimit.bytes(ofStored: bytes.count)
        var remaining = limit
        return try reader.members().map { (member) throws(InterchangeError) -> Member in
          guard member.size <= remaining else {
            throw InterchangeError(
              path, "its members unpack to more than the limit of \(limit) bytes",
              advice: UnpackedLimit.advice + ", or store them without compression, as numpy.savez does")
          }
          remaining -= member.size
          return (member.name, try reader.read(member))
        }
      }
    }
    return try outcome.get()
  }

  /// The contents of an archive with `members`, not compressed, since numbers hardly compress.
  static func contents(of members: [Member], path: String) throws(InterchangeError) -> Data {
    var writer = try ZipWriter(path: path)
    for (name, bytes) in members { try writer.add(name, bytes) }
    return try writer.finish()
  }
}

private struct ZipWriter: ~Copyable {
  /// nil once it is closed.
  private var archive: OpaquePointer?
  /// The target that the archive is written to.
  private let target: OpaquePointer
  private let path: String

  /// 1 January 1980, the earliest date in a ZIP archive, so that the same arrays always give the same bytes.
  private static let date: UInt16 = 1 << 5 | 1

  init(path: String) throws(InterchangeError) {
    var error = zip_error_t()
    zip_error_init(&error)
    defer { zip_error_fini(&error) }
    guard let target = zip_source_buffer_create(nil, 0, 0, &error) else { throw failure(path, text(of: &error)) }
    guard let archive = zip_open_from_source(target, ZIP_TRUNCATE, &error) else {
      zip_source_free(target)
      throw failure(path, text(of: &error))
    }
    // Closing the archive would release it.
    zip_source_keep(target)
    self.archive = archive
    self.target = target
    self.path = path
  }

  deinit {
    if let archive { zip_discard(archive) }
    zip_source_free(target)
  }

  mutating func add(_ name: String, _ bytes: [UInt8]) throws(InterchangeError) {
    // libzip reads it when the archive is closed, and then frees it.
    guard let archive, let copy = malloc(max(bytes.count, 1)) else { throw failure(path, "out of memory") }
    bytes.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress { copy.copyMemory(from: start, byteCount: bytes.count) }
    }
    guard let source = zip_source_buffer(archive, copy, UInt64(bytes.count), 1) else {
      free(copy)
      throw failure(path, String(cString: zip_strerror(archive)))
    }
    let index = zip_file_add(archive, name, source, ZIP_FL_ENC_UTF_8)
    guard index >= 0 else {
      zip_source_free(source)
      throw failure(path, String(cString: zip_strerror(archive)))
    }
    guard zip_set_file_compression(archive, UInt64(index), ZIP_CM_STORE, 0) == 0,
      zip_file_set_dostime(archive, UInt64(index), 0, Self.date, 0) == 0
    else { throw failure(path, String(cString: zip_strerror(archive))) }
  }

  consuming func finish() throws(InterchangeError) -> Data {
    guard let open = archive, zip_close(open) == 0 else {
      throw failure(path, archive.map { String(cString: zip_strerror($0)) } ?? "it is closed")
    }
    archive = nil
    var information = zip_stat_t()
    guard zip_source_stat(target, &information) == 0, zip_source_open(target) == 0 else {
      throw failure(path, "it cannot be read again")
    }
    var contents = Data(count: Int(information.size))
    let count = contents.withUnsafeMutableBytes { bytes in
      bytes.baseAddress.map { zip_source_read(target, $0, information.size) } ?? 0
    }
    zip_source_close(target)
    guard count == Int64(information.size) else { throw failure(path, "it cannot be read again") }
    return contents
  }
}

private func failure(_ path: String, _ problem: String) -> InterchangeError {
  InterchangeError(path, "the archive cannot be created: \(problem)", advice: "make sure that there is enough memory")
}
