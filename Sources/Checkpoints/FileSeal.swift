import Compression
import Foundation

/// The last bytes of a checkpoint file, which tell whether it is all there and whether anything in it but tensors has
/// changed, before the HDF5 library looks at it: the library trusts what it reads, and may crash on a damaged file.
///
/// Tensors have checksums of their own, which name what is damaged; the seal has one of everything between them. HDF5
/// does not mind bytes after its own. As little-endian numbers: of each tensor the place of its first byte in the file
/// (8 bytes) and its length (8), from the first to the last; how many these are (8); the length of the file before the
/// seal (8); the CRC-32 of all bytes that are not a tensor's, and of the seal itself so far (4); `ddpm-mpi` (8).
package struct FileSeal: Sendable, Equatable {
  /// Where tensors lie in the file, from the first to the last, without overlap.
  let tensors: [Range<Int>]
  /// Of the file without the seal.
  let length: Int
  /// Of what is no tensor's, and of the two above.
  let checksum: UInt32

  private static let magic = Array("ddpm-mpi".utf8)
  /// What every HDF5 file begins with.
  private static let signature: [UInt8] = [0x89] + Array("HDF\r\n".utf8) + [0x1a, 0x0a]
  private static let endSize = 8 + 8 + 4 + 8

  /// Adds a seal to a file that has none.
  /// - Throws: `CheckpointError`.
  package static func add(to path: String, tensors: [Range<Int>]) throws(CheckpointError) {
    let file = try SealedFile(path, writable: true)
    let tensors = tensors.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
    let seal = FileSeal(
      tensors: tensors, length: file.size, checksum: try checksum(of: file, tensors: tensors, length: file.size))
    try file.write(seal.bytes, at: file.size)
  }

  /// Verifies a file's seal.
  /// - Throws: `CheckpointError` if it has none, or was changed.
  package static func verify(_ path: String) throws(CheckpointError) {
    let file = try SealedFile(path, writable: false)
    guard let seal = try read(from: file) else {
      let isHDF5 = try file.read(0..<min(signature.count, file.size)) == signature
      throw CheckpointError(
        path: path,
        problem: isHDF5
          ? "it has no seal at its end: it was cut short, or is not a checkpoint of this version"
          : "this is not an HDF5 file")
    }
    guard try checksum(of: file, tensors: seal.tensors, length: seal.length) == seal.checksum else {
      throw CheckpointError(path: path, problem: "it is damaged outside of its tensors: the checksum does not match")
    }
  }

  private static func read(from file: borrowing SealedFile) throws(CheckpointError) -> FileSeal? {
    guard file.size > endSize else { return nil }
    let end = try file.read(file.size - endSize..<file.size)
    guard Array(end.suffix(magic.count)) == magic else { return nil }
    let count = number(end, at: 0)
    let length = number(end, at: 8)
    guard count >= 0, count < file.size / 16, length == file.size - endSize - 16 * count else { return nil }
    let table = try file.read(length..<length + 16 * count)
    var tensors: [Range<Int>] = []
    for index in 0..<count {
      let (start, size) = (number(table, at: 16 * index), number(table, at: 16 * index + 8))
      guard start >= tensors.last?.upperBound ?? 0, size > 0, start <= length, size <= length - start else {
        return nil
      }
      tensors.append(start..<start + size)
    }
    let checksum = UInt32(truncatingIfNeeded: number(end[16..<20] + [0, 0, 0, 0], at: 0))
    return FileSeal(tensors: tensors, length: length, checksum: checksum)
  }

  private var bytes: [UInt8] { Self.table(tensors, length: length) + Self.bytes(checksum) + Self.magic }

  private static func checksum(
    of file: borrowing SealedFile, tensors: [Range<Int>], length: Int
  ) throws(CheckpointError) -> UInt32 {
    var result: UInt32 = 0
    func add(_ bytes: [UInt8]) {
      let next = bytes.withUnsafeBytes { crc32($0) }
      result = crc32Combine(result, next, lengthOfSecond: bytes.count)
    }
    var place = 0
    for tensor in tensors + [length..<length] {
      // In pieces, should there be much between tensors.
      while place < tensor.lowerBound {
        let end = min(tensor.lowerBound, place + 1 << 20)
        add(try file.read(place..<end))
        place = end
      }
      place = tensor.upperBound
    }
    add(table(tensors, length: length))
    return result
  }

  private static func table(_ tensors: [Range<Int>], length: Int) -> [UInt8] {
    tensors.flatMap { bytes(UInt64($0.lowerBound)) + bytes(UInt64($0.count)) } + bytes(UInt64(tensors.count))
      + bytes(UInt64(length))
  }

  private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian, Array.init)
  }

  /// Eight bytes as a number; negative for one that no file has.
  private static func number(_ bytes: some Collection<UInt8>, at place: Int) -> Int {
    let word = bytes.dropFirst(place).prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(exactly: word) ?? -1
  }
}

/// A file that is read and written at any place.
private struct SealedFile: ~Copyable {
  let path: String
  let size: Int
  private let descriptor: Int32

  init(_ path: String, writable: Bool) throws(CheckpointError) {
    let descriptor = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC)
    var information = stat()
    var problem: String?
    if descriptor < 0 && errno == ENOENT {
      problem = "there is no such file"
    } else if descriptor < 0 || fstat(descriptor, &information) != 0 {
      problem = "cannot be opened: \(String(cString: strerror(errno)))"
    } else if information.st_mode & S_IFMT == S_IFDIR {
      problem = "this is a folder, not an HDF5 file"
    }
    if let problem {
      if descriptor >= 0 { Glibc.close(descriptor) }
      throw CheckpointError(path: path, problem: problem)
    }
    self.path = path
    self.descriptor = descriptor
    size = Int(information.st_size)
  }

  deinit { Glibc.close(descriptor) }

  borrowing func read(_ range: Range<Int>) throws(CheckpointError) -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
      while count < range.count {
        let got = pread(descriptor, buffer.baseAddress! + count, range.count - count, off_t(range.lowerBound + count))
        if got < 0 && errno == EINTR { continue }
        if got <= 0 {
          failure = got < 0 ? errno : EIO
          return
        }
        count += got
      }
    }
    if failure != 0 {
      throw CheckpointError(path: path, problem: "cannot be read: \(String(cString: strerror(failure)))")
    }
    return bytes
  }

  borrowing func write(_ bytes: [UInt8], at place: Int) throws(CheckpointError) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        pwrite(descriptor, $0.baseAddress! + written, $0.count - written, off_t(place + written))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        throw CheckpointError(path: path, problem: "cannot be written: \(String(cString: strerror(errno)))")
      }
      written += count
    }
  }
}
