import CZip
import Files

/// A member of a ZIP archive on the disk, decompressed piece by piece from its beginning to its end. Only one thread may
/// use it.
final class ZipMemberStream {
  let size: Int
  private let reader: ZipReader
  private let member: ZipFile.Member
  private var file: OpaquePointer?
  private var position = 0

  /// The number of bytes that are skipped at once.
  private static let skippedSize = 1 << 20

  /// - Throws: `InterchangeError` for a file that cannot be read or is not an archive.
  init(_ member: ZipFile.Member, of path: String) throws(InterchangeError) {
    reader = try ZipReader(path: path)
    self.member = member
    size = member.size
  }

  deinit { if let file { zip_fclose(file) } }

  /// The bytes `range` of the member; its checksum is verified with the last of them. Going backwards is slow: the
  /// member is then decompressed from its beginning.
  /// - Throws: `InterchangeError` for damage, and if the member ends before.
  func bytes(in range: Range<Int>) throws(InterchangeError) -> [UInt8] {
    if file == nil || range.lowerBound < position { try restart() }
    while position < range.lowerBound {
      _ = try next(min(Self.skippedSize, range.lowerBound - position))
    }
    let bytes = try next(range.count)
    if position == size { try finish() }
    return bytes
  }

  private func restart() throws(InterchangeError) {
    if let file { zip_fclose(file) }
    file = nil
    file = try reader.open(member)
    position = 0
  }

  /// - Throws: `InterchangeError` if the checksum does not match, or more bytes follow. It is verified at the end.
  private func finish() throws(InterchangeError) {
    guard let file else { return }
    var byte: UInt8 = 0
    let count = zip_fread(file, &byte, 1)
    guard count >= 0 else { throw reader.damage(of: member, zip_file_strerror(file)) }
    guard count == 0 else { throw reader.wrongSize(of: member) }
  }

  private func next(_ count: Int) throws(InterchangeError) -> [UInt8] {
    guard let file else { return [] }
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let received = bytes.withUnsafeMutableBytes { zip_fread(file, $0.baseAddress! + filled, UInt64(count - filled)) }
      guard received >= 0 else { throw reader.damage(of: member, zip_file_strerror(file)) }
      guard received > 0 else { throw reader.wrongSize(of: member) }
      filled += Int(received)
    }
    position += count
    return bytes
  }
}
