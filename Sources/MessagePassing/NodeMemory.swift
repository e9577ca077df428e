import CFileSpace
import Failures
import Glibc
import Tensors

/// Memory that all ranks of a node can read and write: some buffers of each rank.
///
/// It is an anonymous file that the node's first rank makes and the others open through /proc. Unlike a file in /dev/shm,
/// it has no size limit of its own, and nothing is left when a job is killed. What one rank has written, another one may
/// read once it has received a message that was sent after that.
package struct NodeMemory {
  /// The buffers of each rank of the node, in the order of ranks. They hold zeros at first.
  package let buffers: [[FloatBuffer]]

  /// Collective over the ranks of a node.
  ///
  /// - Parameters:
  ///   - ranks: the ranks of the node.
  ///   - counts: how many buffers each of them has, the same on all ranks.
  ///   - size: the number of floats of each buffer.
  /// - Throws: `JobFailure` on all ranks of the node if they cannot share memory.
  package init(of ranks: Communicator, counts: [Int], size: Int) throws {
    precondition(counts.count == ranks.size && size >= 0, "every rank has a number of buffers")
    // Buffers start on pages.
    let stride = (size * MemoryLayout<Float>.stride + Self.page - 1) / Self.page * Self.page
    let byteCount = max(stride * counts.reduce(0, +), Self.page)
    let made = try ranks.onRankZero {
      let file = try MemoryFile(byteCount: byteCount)
      return (file: file, identity: try file.identity)
    }
    // Open until all ranks have opened it.
    defer { withExtendedLifetime(made) {} }
    let identity = try ranks.broadcast(encoding: made?.identity, from: 0)
    let mapping = try ranks.together {
      let file = try made?.file ?? MemoryFile(identity, byteCount: byteCount)
      // Each rank reserves as much, so that the memory is spread over the node's memory controllers; where all have as
      // many buffers, a rank reserves its own.
      let (rank, count, pages) = (ranks.rank, ranks.size, byteCount / Self.page)
      let own = pages * rank / count * Self.page..<pages * (rank + 1) / count * Self.page
      try file.reserve(own)
      return try Mapping(file, byteCount: byteCount)
    }
    var offset = 0
    buffers = counts.map { count in
      (0..<count).map { _ in
        defer { offset += stride }
        return FloatBuffer(
          start: (mapping.start + offset).assumingMemoryBound(to: Float.self), count: size, owner: mapping)
      }
    }
  }

  /// Sets some numbers of a shared buffer to zero by giving their memory back to the system. Using them takes memory
  /// again.
  /// - Returns: false if the system does not do so; then the numbers are as they were.
  @discardableResult
  package static func release(_ range: Range<Int>, of buffer: FloatBuffer) -> Bool {
    let (start, end) = (range.lowerBound, range.upperBound)
    // Numbers per page, on which buffers start.
    let unit = page / MemoryLayout<Float>.stride
    let (first, last) = ((start + unit - 1) / unit * unit, end / unit * unit)
    guard first < last else { return false }
    let pages = first..<last
    let status = madvise(buffer.pointer + pages.lowerBound, pages.count * MemoryLayout<Float>.stride, MADV_REMOVE)
    guard status == 0 else { return false }
    for edge in [start..<pages.lowerBound, pages.upperBound..<end] {
      (buffer.pointer + edge.lowerBound).update(repeating: 0, count: edge.count)
    }
    return true
  }

  private static let page = Int(sysconf(Int32(_SC_PAGESIZE)))
}

/// An open file in memory.
private final class MemoryFile {
  /// How other processes find the file, and recognise it.
  struct Identity: Codable {
    let process: Int32
    let descriptor: Int32
    let device: UInt64
    let inode: UInt64
  }

  let descriptor: Int32

  /// A new file.
  init(byteCount: Int) throws(RunError) {
    descriptor = ddpm_make_memory_file("ddpm-mpi")
    guard descriptor >= 0 else { throw Self.failure("make a file in memory") }
    guard ftruncate(descriptor, byteCount) == 0 else {
      throw Self.failure("enlarge a file in memory to \(byteCount >> 20) MiB")
    }
  }

  /// The file of another process of this machine.
  init(_ identity: Identity, byteCount: Int) throws(RunError) {
    let path = "/proc/\(identity.process)/fd/\(identity.descriptor)"
    descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure("open \(path)") }
    // In a container of its own, the number may be that of another process.
    var status = stat()
    guard fstat(descriptor, &status) == 0, UInt64(status.st_dev) == identity.device,
      UInt64(status.st_ino) == identity.inode, Int(status.st_size) == byteCount
    else { throw RunError(.failure, "\(path) is another file: the ranks do not share /proc") }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  var identity: Identity {
    get throws(RunError) {
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { throw Self.failure("inspect a file in memory") }
      return Identity(
        process: getpid(), descriptor: descriptor, device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
  }

  /// Allocates memory for some bytes now, since later there would be no error to catch, but a signal.
  func reserve(_ bytes: Range<Int>) throws(RunError) {
    if bytes.isEmpty { return }
    let status = ddpm_reserve_file_space(descriptor, Int64(bytes.lowerBound), Int64(bytes.count), 0)
    guard status == 0 else { throw Self.failure("reserve \(bytes.count >> 20) MiB of memory", status) }
  }

  static func failure(_ action: String, _ code: Int32 = errno) -> RunError {
    RunError(.failure, "cannot \(action): \(String(cString: strerror(code)))")
  }
}

/// A file in memory, mapped into the address space.
private final class Mapping {
  let start: UnsafeMutableRawPointer
  private let byteCount: Int

  init(_ file: MemoryFile, byteCount: Int) throws(RunError) {
    guard let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor, 0), start != MAP_FAILED
    else { throw MemoryFile.failure("map \(byteCount >> 20) MiB of shared memory") }
    self.start = start
    self.byteCount = byteCount
  }

  deinit { munmap(start, byteCount) }
}
