import CZip
import Files

/// An archive that is read by libzip, by one thread at a time.
struct ZipReader: ~Copyable, @unchecked Sendable {
  private let archive: OpaquePointer
  private let path: String

  /// An archive on the disk.
  init(path: String) throws(InterchangeError) {
    try self.init(path) { zip_source_file_create(path, 0, -1, &$0) }
  }

  /// An archive in memory.
  /// - Parameter bytes: must stay in place while this object exists.
  init(_ bytes: UnsafeRawBufferPointer, path: String) throws(InterchangeError) {
    try self.init(path) { zip_source_buffer_create(bytes.baseAddress, UInt64(bytes.count), 0, &$0) }
  }

  private init(_ path: String, source: (inout zip_error_t) -> OpaquePointer?) throws(InterchangeError) {
    var error = zip_error_t()
    zip_error_init(&error)
    defer { zip_error_fini(&error) }
    guard let source = source(&error) else { throw InterchangeError(path, "cannot be read: \(text(of: &error))") }
    guard let archive = zip_open_from_source(source, ZIP_RDONLY, &error) else {
      zip_source_free(source)
      throw InterchangeError(path, "is not a ZIP archive, or is truncated: \(text(of: &error))")
    }
    self.archive = archive
    self.path = path
  }

  deinit { zip_discard(archive) }

  /// In the archive's order.
  func members() throws(InterchangeError) -> [ZipFile.Member] {
    var members: [ZipFile.Member] = []
    for index in 0..<UInt64(max(0, zip_get_num_entries(archive, 0))) {
      var information = zip_stat_t()
      guard zip_stat_index(archive, index, 0, &information) == 0, let name = information.name else {
        throw InterchangeError(path, "is damaged: \(String(cString: zip_strerror(archive)))")
      }
      members.append(
        ZipFile.Member(
          name: String(cString: name), size: Int(clamping: information.size),
          sizeLimit: UnpackedLimit.bytes(ofStored: Int(clamping: information.comp_size)), index: index))
    }
    return members
  }

  /// The bytes of a member, with its checksum verified. Allocates memory for the size that the archive states.
  func read(_ member: ZipFile.Member) throws(InterchangeError) -> [UInt8] {
    let file = try open(member)
    defer { zip_fclose(file) }
    // Reads one byte more than expected, since the checksum is verified at the member's end.
    var bytes = [UInt8](repeating: 0, count: member.size + 1)
    var filled = 0
    while filled < bytes.count {
      let count = bytes.withUnsafeMutableBytes { zip_fread(file, $0.baseAddress! + filled, UInt64($0.count - filled)) }
      guard count >= 0 else { throw damage(of: member, zip_file_strerror(file)) }
      if count == 0 { break }
      filled += Int(count)
    }
    guard filled == member.size else { throw wrongSize(of: member) }
    bytes.removeLast()
    return bytes
  }

  /// Opens a member, to be read from its beginning. The caller closes it.
  func open(_ member: ZipFile.Member) throws(InterchangeError) -> OpaquePointer {
    guard let file = zip_fopen_index(archive, member.index, 0) else { throw damage(of: member, zip_strerror(archive)) }
    return file
  }

  func wrongSize(of member: ZipFile.Member) -> InterchangeError {
    InterchangeError(path, "its member \(member.name) does not have the expected \(member.size) bytes")
  }

  func damage(of member: ZipFile.Member, _ reason: UnsafePointer<CChar>?) -> InterchangeError {
    InterchangeError(
      path, "its member \(member.name) is damaged: \(reason.map { String(cString: $0) } ?? "unknown reason")")
  }
}

/// The description of an error.
func text(of error: inout zip_error_t) -> String { String(cString: zip_error_strerror(&error)) }
