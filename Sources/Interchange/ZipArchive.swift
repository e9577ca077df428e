import CZip
import Files
import Foundation

/// ZIP archives in memory, read and written by libzip.
enum ZipArchive {
  /// All members in the archive's order.
  /// - Throws: `InterchangeError` if the archive is damaged; the members' checksums are verified.
  static func members(
    of contents: Data, path: String
  ) throws(InterchangeError) -> [(name: String, bytes: [UInt8])] {
    let outcome = contents.withUnsafeBytes { bytes in
      Result { () throws(InterchangeError) in
        try ZipReader(bytes, path: path).members()
      }
    }
    return try outcome.get()
  }

  /// The contents of an archive with `members`, not compressed, since numbers hardly compress.
  static func contents(
    of members: [(name: String, bytes: [UInt8])], path: String
  ) throws(InterchangeError) -> Data {
    var writer = try ZipWriter(path: path)
    for (name, bytes) in members { try writer.add(name, bytes) }
    return try writer.finish()
  }
}

private struct ZipReader: ~Copyable {
  private let archive: OpaquePointer
  private let path: String
  /// The maximum total size of all members.
  private let limit: Int

  /// - Parameter bytes: must stay in place while this object exists.
  init(_ bytes: UnsafeRawBufferPointer, path: String) throws(InterchangeError) {
    var error = zip_error_t()
    zip_error_init(&error)
    defer { zip_error_fini(&error) }
    guard let source = zip_source_buffer_create(bytes.baseAddress, UInt64(bytes.count), 0, &error) else {
      throw InterchangeError(path, "cannot be read: \(text(of: &error))")
    }
    guard let archive = zip_open_from_source(source, ZIP_RDONLY, &error) else {
      zip_source_free(source)
      throw InterchangeError(path, "is not a ZIP archive, or is truncated: \(text(of: &error))")
    }
    self.archive = archive
    self.path = path
    limit = UnpackedLimit.bytes(ofStored: bytes.count)
  }

  deinit { zip_discard(archive) }

  func members() throws(InterchangeError) -> [(name: String, bytes: [UInt8])] {
    var members: [(name: String, bytes: [UInt8])] = []
    var remaining = limit
    for index in 0..<max(0, zip_get_num_entries(archive, 0)) {
      guard let name = zip_get_name(archive, UInt64(index), 0) else {
        throw InterchangeError(path, "is damaged: \(String(cString: zip_strerror(archive)))")
      }
      let bytes = try bytes(UInt64(index), name: String(cString: name), limit: remaining)
      remaining -= bytes.count
      members.append((String(cString: name), bytes))
    }
    return members
  }

  private func bytes(_ index: UInt64, name: String, limit: Int) throws(InterchangeError) -> [UInt8] {
    guard let file = zip_fopen_index(archive, index, 0) else {
      throw InterchangeError(path, "its member \(name) is damaged: \(String(cString: zip_strerror(archive)))")
    }
    defer { zip_fclose(file) }
    // The size stated in a damaged archive may be arbitrary, so bytes are read incrementally.
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = zip_fread(file, &piece, UInt64(piece.count))
      guard count >= 0 else {
        throw InterchangeError(path, "its member \(name) is damaged: \(String(cString: zip_file_strerror(file)))")
      }
      if count == 0 { return bytes }
      guard Int(count) <= limit - bytes.count else {
        throw InterchangeError(
          path, "its members unpack to more than the limit of \(self.limit) bytes",
          advice: UnpackedLimit.advice + ", or store them without compression, as numpy.savez does")
      }
      bytes += piece[..<Int(count)]
    }
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

private func text(of error: inout zip_error_t) -> String { String(cString: zip_error_strerror(&error)) }
