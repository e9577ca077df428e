import Files
import Glibc

// The file that becomes a checkpoint.
extension Checkpoint {
  /// The bytes of all tensors, plus the file's own records.
  static func expectedByteCount(_ groups: [TensorGroup]) -> Int {
    groups.reduce(1 << 20) { $0 + $1.layout.parameterCount * 4 + $1.layout.entries.count * 1024 }
  }

  /// Asks the file system whether there is enough space, before any rank opens the file.
  static func findRoom(_ path: String, byteCount: Int) throws {
    // Left behind by an interrupted save, or a link that leads elsewhere.
    unlink(path)
    try allocate(path, byteCount: byteCount, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, keepsSize: false)
  }

  /// Reserves the space for a file that has just been created: libhdf5 may crash where a disk is full, and
  /// ranks may wait for one another forever if it fills up in the middle of a collective write. The file's size does not
  /// change.
  static func reserve(_ path: String, byteCount: Int) throws {
    try allocate(path, byteCount: byteCount, flags: O_WRONLY, keepsSize: true)
  }

  private static func allocate(_ path: String, byteCount: Int, flags: Int32, keepsSize: Bool) throws {
    let descriptor = open(path, flags | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw CheckpointError(path: path, failure: "cannot be created") }
    defer { close(descriptor) }
    guard let code = reserveSpace(descriptor, byteCount: byteCount, keepsSize: keepsSize) else { return }
    unlink(path)
    throw CheckpointError(
      path: path, failure: "there is no space for a checkpoint of \(byteCount >> 20) MiB", code: code)
  }

  static func publish(_ temporary: String, as path: String) throws {
    releaseReservedSpace(ofFile: temporary)
    do throws(FileError) { try publishFile(temporary, as: path) } catch {
      throw CheckpointError(path: path, problem: error.description)
    }
  }
}
