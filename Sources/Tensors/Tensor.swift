/// A dense array of 32-bit floats in row-major order; images are [N, H, W, C], channels innermost.
///
/// A tensor is a view of shared storage, which it keeps alive: copying the value copies no elements. Kernels take
/// tensors as operands, so that shapes are checked and the memory stays alive.
public struct Tensor: Sendable {
  public let shape: [Int]
  public let count: Int
  public let buffer: FloatBuffer
  /// The position of the first element in `buffer`.
  public let offset: Int

  /// A view of `buffer` starting at element `offset`.
  public init(shape: [Int], buffer: FloatBuffer, offset: Int = 0) {
    let count = shape.reduce(1, *)
    verify(
      offset >= 0 && count >= 0 && offset + count <= buffer.count,
      "a buffer of \(buffer.count) elements has no room for shape \(shape) at offset \(offset)")
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

  /// The first element. The caller keeps the tensor alive while it uses the pointer. For kernels and wrappers of C
  /// libraries only.
  public var pointer: UnsafeMutablePointer<Float> { buffer.pointer + offset }

  public var elements: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// An element by its index in row-major order.
  public subscript(index: Int) -> Float {
    get {
      verify(index >= 0 && index < count, "index \(index) is out of range for \(count) elements")
      return pointer[index]
    }
    nonmutating set {
      verify(index >= 0 && index < count, "index \(index) is out of range for \(count) elements")
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

  /// A range of the first dimension, such as images of a batch; a view of the same storage.
  public subscript(range: Range<Int>) -> Tensor {
    verify(
      !shape.isEmpty && range.lowerBound >= 0 && range.upperBound <= shape[0], "\(range) is not within \(shape)")
    let size = shape.dropFirst().reduce(1, *)
    return Tensor(shape: [range.count] + shape.dropFirst(), buffer: buffer, offset: offset + range.lowerBound * size)
  }

  /// A copy with its own storage.
  public func copied() -> Tensor {
    let result = Tensor(uninitialised: shape)
    result.copy(self)
    return result
  }
}
