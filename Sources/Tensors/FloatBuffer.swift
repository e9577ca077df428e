import Glibc
import Synchronization

/// A block of 32-bit floats, aligned to a cache line, that goes back to `BufferPool` when its last owner lets go.
///
/// Contents are undefined when a buffer is handed out. Writing through `pointer` is the caller's responsibility:
/// a buffer is `Sendable` because workers fill disjoint parts of it.
public final class FloatBuffer: @unchecked Sendable {
  public let pointer: UnsafeMutablePointer<Float>
  public let count: Int
  private let block: BufferPool.Block

  public init(count: Int) {
    precondition(count >= 0, "a buffer cannot have a negative count")
    self.count = count
    self.block = BufferPool.shared.take(byteCount: count * MemoryLayout<Float>.stride)
    self.pointer = block.address.assumingMemoryBound(to: Float.self)
  }

  deinit { BufferPool.shared.giveBack(block) }
}

/// Keeps the memory of released buffers for the next ones of about the same size.
///
/// A training step asks for the same sizes again and again, so after the first step no memory is requested from the
/// system and no page is faulted in. Blocks of 2 MiB and more are aligned for huge pages and ask for them.
final class BufferPool: Sendable {
  static let shared = BufferPool()

  struct Block: @unchecked Sendable {
    let address: UnsafeMutableRawPointer
    let byteCount: Int
  }

  private static let hugePage = 2 << 20
  private let free = Mutex<[Int: [Block]]>([:])

  func take(byteCount: Int) -> Block {
    let size = Self.sizeClass(byteCount)
    if let block = free.withLock({ $0[size]?.popLast() }) { return block }
    let alignment = size >= Self.hugePage ? Self.hugePage : 64
    var address: UnsafeMutableRawPointer?
    guard posix_memalign(&address, alignment, size) == 0, let address else {
      fatalError(
        "out of memory: \(size >> 20) MiB were refused; lower training.micro_batch or the number of ranks here")
    }
    if size >= Self.hugePage { madvise(address, size, Int32(MADV_HUGEPAGE)) }
    return Block(address: address, byteCount: size)
  }

  func giveBack(_ block: Block) {
    free.withLock { $0[block.byteCount, default: []].append(block) }
  }

  /// Sizes are rounded up to one eighth of their power of two, so that nearly equal requests share a class.
  private static func sizeClass(_ byteCount: Int) -> Int {
    let step = max(64, (1 << (Int.bitWidth - 1 - max(byteCount, 1).leadingZeroBitCount)) / 8)
    return max(64, (byteCount + step - 1) / step * step)
  }
}
