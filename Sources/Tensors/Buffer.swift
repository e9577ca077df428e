/// A block of numbers, aligned to a cache line. Its memory usually returns to `BufferPool` when the last owner releases
/// it.
///
/// Contents are undefined when a buffer is handed out. It is `Sendable` because workers fill disjoint parts of it.
@usableFromInline package final class Buffer<Element: BitwiseCopyable>: @unchecked Sendable {
  /// The first element. Whoever uses it keeps the buffer alive; kernels and wrappers of C libraries do, others have no
  /// need of it.
  @usableFromInline package let pointer: UnsafeMutablePointer<Element>
  @usableFromInline package let count: Int
  private let memory: Memory

  private enum Memory {
    case pooled(BufferPool.Block)
    case owned(by: AnyObject)
  }

  @usableFromInline package init(count: Int) {
    precondition(count >= 0, "a buffer cannot have a negative count")
    self.count = count
    let block = BufferPool.shared.take(byteCount: count * MemoryLayout<Element>.stride)
    self.memory = .pooled(block)
    self.pointer = block.address.assumingMemoryBound(to: Element.self)
  }

  /// A buffer in memory of another origin.
  /// - Parameters:
  ///   - start: the first element, aligned to a cache line.
  ///   - owner: keeps the memory alive.
  package init(start: UnsafeMutablePointer<Element>, count: Int, owner: AnyObject) {
    self.count = count
    self.memory = .owned(by: owner)
    self.pointer = start
  }

  @inlinable
  package convenience init(repeating value: Element, count: Int) {
    self.init(count: count)
    pointer.update(repeating: value, count: count)
  }

  deinit {
    if case .pooled(let block) = memory { BufferPool.shared.giveBack(block) }
  }

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
