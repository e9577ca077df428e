/// A dense array of 32-bit floats in row-major order; images are [N, H, W, C], channels innermost.
///
/// A tensor is a view of shared storage, which it keeps alive: copying the value copies no elements. Kernels take tensors
/// as operands, so that shapes are compared and no memory can go away under them.
public struct Tensor: Sendable {
  public let shape: [Int]
  public let count: Int
  public let buffer: FloatBuffer
  /// Where the first element is in `buffer`.
  public let offset: Int

  /// A view of `buffer` from element `offset` on.
  public init(shape: [Int], buffer: FloatBuffer, offset: Int = 0) {
    let count = shape.reduce(1, *)
    verify(
      offset >= 0 && count >= 0 && offset + count <= buffer.count,
      "a buffer of \(buffer.count) has no room for \(shape) from \(offset) on")
    self.shape = shape
    self.count = count
    self.buffer = buffer
    self.offset = offset
  }

  /// A tensor whose elements are undefined until written.
  public init(uninitialised shape: [Int]) {
    self.init(shape: shape, buffer: FloatBuffer(count: shape.reduce(1, *)))
  }

  public init(repeating value: Float = 0, shape: [Int]) {
    self.init(uninitialised: shape)
    fill(value)
  }

  public init(_ elements: [Float], shape: [Int]) {
    self.init(uninitialised: shape)
    copy(elements)
  }

  /// The first element. Whoever uses it keeps the tensor alive; kernels and wrappers of C libraries do, others have no
  /// need of it.
  public var pointer: UnsafeMutablePointer<Float> { buffer.pointer + offset }

  public var elements: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// An element by its index in row-major order.
  public subscript(index: Int) -> Float {
    get {
      verify(index >= 0 && index < count, "element \(index) of \(count)")
      return pointer[index]
    }
    nonmutating set {
      verify(index >= 0 && index < count, "element \(index) of \(count)")
      pointer[index] = newValue
    }
  }

  public func fill(_ value: Float) { pointer.update(repeating: value, count: count) }

  /// Overwrites all elements.
  public func copy(_ elements: [Float]) {
    verify(elements.count == count, "\(elements.count) elements do not fill shape \(shape)")
    elements.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { pointer.update(from: base, count: count) }
    }
  }

  /// Overwrites all elements with those of a tensor of equal count.
  public func copy(_ other: Tensor) {
    verify(other.count == count, "\(other.count) elements do not fill shape \(shape)")
    pointer.update(from: other.pointer, count: count)
  }

  /// The same elements under another shape of equal count.
  public func reshaped(_ shape: [Int]) -> Tensor {
    verify(shape.reduce(1, *) == count, "shape \(self.shape) cannot be seen as \(shape)")
    return Tensor(shape: shape, buffer: buffer, offset: offset)
  }

  /// Some of the first dimension's entries, such as images of a batch; a view of the same storage.
  public subscript(range: Range<Int>) -> Tensor {
    verify(
      !shape.isEmpty && range.lowerBound >= 0 && range.upperBound <= shape[0], "\(range) is not within \(shape)")
    let size = shape.dropFirst().reduce(1, *)
    return Tensor(shape: [range.count] + shape.dropFirst(), buffer: buffer, offset: offset + range.lowerBound * size)
  }

  /// A tensor with storage of its own and the same elements.
  public func copied() -> Tensor {
    let result = Tensor(uninitialised: shape)
    result.copy(self)
    return result
  }
}
