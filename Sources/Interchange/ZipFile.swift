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
    let index: UInt64
  }

  public let path: String
  /// In the archive's order.
  public let members: [Member]
  private let archive: Mutex<ZipReader>

  /// - Throws: `InterchangeError` for a file that cannot be read or is not an archive.
  public init(_ path: String) throws(InterchangeError) {
    do throws(FileError) { _ = try RegularFile(path) } catch {
      throw InterchangeError(path, "cannot be opened: \(error.reason)", advice: "check the path and its permissions")
    }
    let archive = try ZipReader(path: path)
    self.path = path
    members = try archive.members()
    // libzip treats an empty file as an archive without members.
    guard !members.isEmpty else { throw InterchangeError(path, "contains no files") }
    self.archive = Mutex(archive)
  }

  /// The bytes of a member, with its checksum verified.
  /// - Throws: `InterchangeError`.
  public func read(_ member: Member) throws(InterchangeError) -> [UInt8] {
    guard member.size <= member.sizeLimit else {
      throw InterchangeError(
        path, "its member \(member.name) unpacks to more than the limit of \(member.sizeLimit) bytes",
        advice: UnpackedLimit.advice)
    }
    return try archive.withLock { (archive) throws(InterchangeError) in try archive.read(member) }
  }
}
