import CZip
import Files
import Synchronization

/// A ZIP archive on the disk whose members are read one by one, by libzip. Several threads may call it at once; the
/// reads are serialised.
public final class ZipFile: Sendable {
  public struct Member: Sendable {
    /// Including its folders; the name of a folder ends with "/".
    public let name: String
    /// The uncompressed size in bytes according to the archive.
    public let size: Int
    /// The maximum allowed size.
    public let sizeLimit: Int
    fileprivate let index: UInt64
  }

  public let path: String
  /// In the archive's order.
  public let members: [Member]
  private let archive: Mutex<Archive>

  /// - Throws: `InterchangeError` for a file that cannot be read or is not an archive.
  public init(_ path: String) throws(InterchangeError) {
    do throws(FileError) { _ = try RegularFile(path) } catch {
      throw InterchangeError(path, "cannot be opened: \(error.reason)", advice: "check the path and its permissions")
    }
    let archive = try Archive(path)
    self.path = path
    members = try archive.members(path)
    // libzip treats an empty file as an archive without members.
    guard !members.isEmpty else { throw InterchangeError(path, "contains no files") }
    self.archive = Mutex(archive)
  }

  /// The bytes of a member, with its checksum verified.
  /// - Throws: `InterchangeError`.
  public func read(_ member: Member) throws(InterchangeError) -> [UInt8] {
    try archive.withLock { (archive) throws(InterchangeError) in try archive.read(member, path) }
  }
}

/// libzip's handle, used by one thread at a time.
private struct Archive: ~Copyable, @unchecked Sendable {
  private let pointer: OpaquePointer

  init(_ path: String) throws(InterchangeError) {
    var code: Int32 = 0
    guard let pointer = zip_open(path, ZIP_RDONLY, &code) else {
      var error = zip_error_t()
      zip_error_init_with_code(&error, code)
      defer { zip_error_fini(&error) }
      throw InterchangeError(
        path, "is not a ZIP archive, or is truncated: \(String(cString: zip_error_strerror(&error)))")
    }
    self.pointer = pointer
  }

  deinit { zip_discard(pointer) }

  func members(_ path: String) throws(InterchangeError) -> [ZipFile.Member] {
    var members: [ZipFile.Member] = []
    for index in 0..<UInt64(max(0, zip_get_num_entries(pointer, 0))) {
      var information = zip_stat_t()
      guard zip_stat_index(pointer, index, 0, &information) == 0, let name = information.name else {
        throw InterchangeError(path, "is damaged: \(String(cString: zip_strerror(pointer)))")
      }
      members.append(
        ZipFile.Member(
          name: String(cString: name), size: Int(clamping: information.size),
          sizeLimit: UnpackedLimit.bytes(ofStored: Int(clamping: information.comp_size)), index: index))
    }
    return members
  }

  func read(_ member: ZipFile.Member, _ path: String) throws(InterchangeError) -> [UInt8] {
    guard member.size <= member.sizeLimit else {
      throw InterchangeError(
        path, "its member \(member.name) unpacks to more than the limit of \(member.sizeLimit) bytes",
        advice: UnpackedLimit.advice)
    }
    guard let file = zip_fopen_index(pointer, member.index, 0) else {
      throw damaged(path, member, zip_strerror(pointer))
    }
    defer { zip_fclose(file) }
    // Reads one byte more than expected, since the checksum is verified at the member's end.
    var bytes = [UInt8](repeating: 0, count: member.size + 1)
    var filled = 0
    while filled < bytes.count {
      let count = bytes.withUnsafeMutableBytes { zip_fread(file, $0.baseAddress! + filled, UInt64($0.count - filled)) }
      guard count >= 0 else { throw damaged(path, member, zip_file_strerror(file)) }
      if count == 0 { break }
      filled += Int(count)
    }
    guard filled == member.size else {
      throw InterchangeError(path, "its member \(member.name) does not have the expected \(member.size) bytes")
    }
    bytes.removeLast()
    return bytes
  }

  private func damaged(
    _ path: String, _ member: ZipFile.Member, _ reason: UnsafePointer<CChar>?
  ) -> InterchangeError {
    InterchangeError(
      path, "its member \(member.name) is damaged: \(reason.map { String(cString: $0) } ?? "unknown reason")")
  }
}
