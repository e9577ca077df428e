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
