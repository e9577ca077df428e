/// A block of numbers, aligned to a cache line, that returns to `BufferPool` when its last owner releases it.
///
/// Contents are undefined when a buffer is handed out. Writing through `pointer` is the caller's responsibility:
/// a buffer is `Sendable` because workers fill disjoint parts of it.
public final class Buffer<Element: BitwiseCopyable>: @unchecked Sendable {
  public let pointer: UnsafeMutablePointer<Element>
  public let count: Int
  private let block: BufferPool.Block

  public init(count: Int) {
    precondition(count >= 0, "a buffer cannot have a negative count")
    self.count = count
    self.block = BufferPool.shared.take(byteCount: count * MemoryLayout<Element>.stride)
    self.pointer = block.address.assumingMemoryBound(to: Element.self)
  }

  deinit { BufferPool.shared.giveBack(block) }

  /// A copy of all elements.
  public var elements: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// Copies elements to the positions from `index` on.
  public func store(_ elements: [Element], at index: Int = 0) {
    precondition(index >= 0 && index + elements.count <= count, "\(elements.count) elements do not fit at \(index)")
    elements.withUnsafeBufferPointer {
      if let start = $0.baseAddress { (pointer + index).update(from: start, count: $0.count) }
    }
  }
}

/// The storage of networks, gradients and images.
public typealias FloatBuffer = Buffer<Float>

extension FloatBuffer {
  /// Fills the buffer with zeros, on all threads.
  public func clear(on workers: WorkerPool) {
    workers.forEachRange(count, grain: 1 << 18) { range in
      (pointer + range.lowerBound).update(repeating: 0, count: range.count)
    }
  }
}
