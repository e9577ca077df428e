/// A block of numbers, aligned to a cache line, that returns to `BufferPool` when its last owner releases it.
///
/// Contents are undefined when a buffer is handed out. It is `Sendable` because workers fill disjoint parts of it.
@usableFromInline package final class Buffer<Element: BitwiseCopyable>: @unchecked Sendable {
  /// The first element. Whoever uses it keeps the buffer alive; kernels and wrappers of C libraries do, others have no
  /// need of it.
  @usableFromInline package let pointer: UnsafeMutablePointer<Element>
  @usableFromInline package let count: Int
  private let block: BufferPool.Block

  @usableFromInline package init(count: Int) {
    precondition(count >= 0, "a buffer cannot have a negative count")
    self.count = count
    self.block = BufferPool.shared.take(byteCount: count * MemoryLayout<Element>.stride)
    self.pointer = block.address.assumingMemoryBound(to: Element.self)
  }

  @inlinable
  package convenience init(repeating value: Element, count: Int) {
    self.init(count: count)
    pointer.update(repeating: value, count: count)
  }

  deinit { BufferPool.shared.giveBack(block) }

  @inlinable
  package subscript(index: Int) -> Element {
    get { pointer[verified(index, of: count)] }
    set { pointer[verified(index, of: count)] = newValue }
  }

  /// A copy of all elements.
  package var elements: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// Copies elements to the positions from `index` on.
  package func store(_ elements: [Element], at index: Int = 0) { self[index..<index + elements.count].copy(elements) }
}

extension Buffer {
  /// A part of the buffer as a vector.
  package subscript(range: Range<Int>) -> TypedTensor<Element> {
    TypedTensor(shape: [range.count], buffer: self, offset: range.lowerBound)
  }
}

/// The storage of networks, gradients and images.
@usableFromInline package typealias FloatBuffer = Buffer<Float>

extension FloatBuffer {
  /// Fills the buffer with zeros, on all threads.
  package func clear(on workers: WorkerPool) {
    workers.forEachRange(count, grain: 1 << 18) { range in self[range].fill(0) }
  }
}
