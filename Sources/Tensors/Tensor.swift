/// A dense array of 32-bit floats in row-major order; images are [N, H, W, C], channels innermost.
///
/// A tensor is a view of shared storage: copying the value copies no elements.
public struct Tensor: Sendable {
  public let shape: [Int]
  public let buffer: FloatBuffer

  /// A tensor whose elements are undefined until written.
  public init(uninitialised shape: [Int]) {
    self.shape = shape
    self.buffer = FloatBuffer(count: shape.reduce(1, *))
  }

  public init(repeating value: Float = 0, shape: [Int]) {
    self.init(uninitialised: shape)
    pointer.update(repeating: value, count: count)
  }

  public init(_ elements: [Float], shape: [Int]) {
    precondition(elements.count == shape.reduce(1, *), "\(elements.count) elements do not fill shape \(shape)")
    self.init(uninitialised: shape)
    elements.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { pointer.update(from: base, count: count) }
    }
  }

  /// A view of a buffer that holds just as many elements.
  public init(shape: [Int], buffer: FloatBuffer) {
    precondition(shape.reduce(1, *) == buffer.count, "a buffer of \(buffer.count) cannot be seen as \(shape)")
    self.shape = shape
    self.buffer = buffer
  }

  public var count: Int { buffer.count }
  public var pointer: UnsafeMutablePointer<Float> { buffer.pointer }
  public var elements: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// The same elements under another shape of equal count.
  public func reshaped(_ shape: [Int]) -> Tensor {
    precondition(shape.reduce(1, *) == count, "shape \(self.shape) cannot be seen as \(shape)")
    return Tensor(shape: shape, buffer: buffer)
  }

  /// A tensor with storage of its own and the same elements.
  public func copied() -> Tensor {
    let copy = Tensor(uninitialised: shape)
    copy.pointer.update(from: pointer, count: count)
    return copy
  }
}
