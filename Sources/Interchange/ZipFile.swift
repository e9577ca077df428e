import Files
import Synchronization

/// A ZIP archive on the disk whose members are read one by one, by libzip. Several threads may call it at once; the
/// reads are serialised.
package final class ZipFile: Sendable {
  package struct Member: Sendable {
    /// Including its folders; the name of a folder ends with "/".
    package let name: String
    /// The uncompressed size in bytes according to the archive.
    package let size: Int
    /// The maximum allowed size.
    package let sizeLimit: Int
    let index: UInt64
  }

  package let path: String
  /// In the archive's order.
  package let members: [Member]
  private let archive: Mutex<ZipReader>

  /// - Throws: `InterchangeError` for a file that cannot be read or is not an archive.
  package init(_ path: String) throws(InterchangeError) {
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
  package func read(_ member: Member) throws(InterchangeError) -> [UInt8] {
    guard member.size <= member.sizeLimit else {
      throw InterchangeError(
        path, "its member \(member.name) unpacks to more than the limit of \(member.sizeLimit) bytes",
        advice: UnpackedLimit.advice)
    }
    return try archive.withLock { (archive) throws(InterchangeError) in try archive.read(member) }
  }
}
