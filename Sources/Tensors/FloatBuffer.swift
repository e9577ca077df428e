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

  /// Fills the buffer with zeros, on all threads.
  public func clear(on workers: WorkerPool) {
    workers.forEachRange(count, grain: 1 << 18) { range in
      (pointer + range.lowerBound).update(repeating: 0, count: range.count)
    }
  }
}

/// Keeps the memory of released buffers for the next ones of about the same size.
///
/// A training step asks for the same sizes again and again, so after the first step no memory is requested from the
/// system and no page is faulted in. The block released last is handed out first, since it is the likeliest to be in a
/// cache. All blocks lie in huge pages, small ones side by side in slabs: a transform that touches dozens of places at
/// once would otherwise wait for address translations.
final class BufferPool: Sendable {
  static let shared = BufferPool()

  struct Block: @unchecked Sendable {
    let address: UnsafeMutableRawPointer
    let byteCount: Int
  }

  private struct State: @unchecked Sendable {
    var free: [Int: [Block]] = [:]
    /// What is left of the newest slab.
    var slab: UnsafeMutableRawPointer?
    var slabBytesLeft = 0
  }

  private static let hugePage = 2 << 20
  private static let slabSize = 32 << 20
  private let state = Mutex(State())

  func take(byteCount: Int) -> Block {
    let size = Self.sizeClass(byteCount)
    return state.withLock { state in
      if let block = state.free[size]?.popLast() { return block }
      if size > Self.slabSize / 2 { return Block(address: Self.map(size), byteCount: size) }
      if size > state.slabBytesLeft {
        state.slab = Self.map(Self.slabSize)
        state.slabBytesLeft = Self.slabSize
      }
      let address = state.slab! + (Self.slabSize - state.slabBytesLeft)
      state.slabBytesLeft -= size
      return Block(address: address, byteCount: size)
    }
  }

  func giveBack(_ block: Block) {
    state.withLock { $0.free[block.byteCount, default: []].append(block) }
  }

  /// Fresh memory that asks for huge pages.
  private static func map(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let size = (byteCount + hugePage - 1) / hugePage * hugePage
    var address: UnsafeMutableRawPointer?
    guard posix_memalign(&address, hugePage, size) == 0, let address else {
      fatalError(
        "out of memory: \(size >> 20) MiB were refused; lower training.micro_batch or the number of ranks here")
    }
    madvise(address, size, Int32(MADV_HUGEPAGE))
    return address
  }

  /// Sizes are rounded up to one eighth of their power of two, so that nearly equal requests share a class.
  private static func sizeClass(_ byteCount: Int) -> Int {
    let step = max(64, (1 << (Int.bitWidth - 1 - max(byteCount, 1).leadingZeroBitCount)) / 8)
    return max(64, (byteCount + step - 1) / step * step)
  }
}
