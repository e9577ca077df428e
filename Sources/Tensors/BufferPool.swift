import Glibc
import Synchronization
import Threads

/// Keeps the memory of released buffers for reuse.
///
/// Every training step requests the same sizes in the same order, so after the first step no memory is requested from
/// the system and no page faults occur. Released memory is merged with free neighbours and split again, so that the peak
/// of the memory held is little more than the peak in use. Among free pieces of one size, the one released last is
/// handed out first, since it is the most likely to be cached. All memory is in huge pages; otherwise a transform that
/// touches dozens of addresses at once would wait for address translation.
final class BufferPool: Sendable {
  static let shared = BufferPool()

  struct Block: @unchecked Sendable {
    let address: UnsafeMutableRawPointer
    let byteCount: Int
  }

  /// Small blocks are kept apart, so that they do not fragment the space for large ones.
  private let small = Mutex(FreeSpace(slabSize: 4 << 20))
  private let large = Mutex(FreeSpace(slabSize: 32 << 20))
  private static let largestSmall = 256 << 10

  func take(byteCount: Int) -> Block {
    byteCount <= Self.largestSmall
      ? small.withLock { $0.take(Self.roundUp(byteCount, to: 64)) }
      : large.withLock { $0.take(Self.roundUp(byteCount, to: 4096)) }
  }

  func giveBack(_ block: Block) {
    if block.byteCount <= Self.largestSmall {
      small.withLock { $0.giveBack(block) }
    } else {
      large.withLock { $0.giveBack(block) }
    }
  }

  private static func roundUp(_ count: Int, to multiple: Int) -> Int {
    max(1, (count + multiple - 1) / multiple) * multiple
  }
}

/// Free pieces of memory.
private struct FreeSpace: @unchecked Sendable {
  private struct Piece {
    var address: UnsafeMutableRawPointer
    var byteCount: Int
    /// When it was released, as a count of releases.
    var released: Int

    var end: UnsafeMutableRawPointer { address + byteCount }
  }

  /// Ordered by address; adjacent pieces are merged.
  private var pieces: [Piece] = []
  private var releases = 0
  /// The minimum size of a request to the system.
  private let slabSize: Int

  private static let hugePage = 2 << 20

  @usableFromInline init(slabSize: Int) { self.slabSize = slabSize }

  /// The smallest piece that is large enough, or the start of it.
  mutating func take(_ byteCount: Int) -> BufferPool.Block {
    var best = -1
    for (index, piece) in pieces.enumerated() where piece.byteCount >= byteCount {
      if best < 0 || piece.byteCount < pieces[best].byteCount
        || (piece.byteCount == pieces[best].byteCount && piece.released > pieces[best].released)
      {
        best = index
      }
    }
    if best < 0 { best = grow(for: byteCount) }
    let address = pieces[best].address
    if pieces[best].byteCount == byteCount {
      pieces.remove(at: best)
    } else {
      pieces[best].address += byteCount
      pieces[best].byteCount -= byteCount
    }
    return BufferPool.Block(address: address, byteCount: byteCount)
  }

  mutating func giveBack(_ block: BufferPool.Block) {
    releases += 1
    insert(Piece(address: block.address, byteCount: block.byteCount, released: releases))
  }

  /// - Returns: the piece's index.
  @discardableResult
  private mutating func insert(_ piece: Piece) -> Int {
    var (low, high) = (0, pieces.count)
    while low < high {
      let middle = (low + high) / 2
      if pieces[middle].address < piece.address { low = middle + 1 } else { high = middle }
    }
    var piece = piece
    if low < pieces.count, piece.end == pieces[low].address { piece.byteCount += pieces.remove(at: low).byteCount }
    if low > 0, pieces[low - 1].end == piece.address {
      pieces[low - 1].byteCount += piece.byteCount
      pieces[low - 1].released = piece.released
      return low - 1
    }
    pieces.insert(piece, at: low)
    return low
  }

  /// Requests memory from the system, in huge pages.
  private mutating func grow(for byteCount: Int) -> Int {
    let size = (max(byteCount, slabSize) + Self.hugePage - 1) / Self.hugePage * Self.hugePage
    var address: UnsafeMutableRawPointer?
    guard posix_memalign(&address, Self.hugePage, size) == 0, let address else {
      endProcess(
        "out of memory: cannot allocate \(size >> 20) MiB; lower training.micro_batch or the number of ranks here")
    }
    madvise(address, size, Int32(MADV_HUGEPAGE))
    return insert(Piece(address: address, byteCount: size, released: releases))
  }
}
