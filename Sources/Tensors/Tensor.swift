/// A dense array of numbers in row-major order; images are [N, H, W, C], channels innermost.
///
/// A tensor is a view of shared storage, which it keeps alive: copying the value copies no elements. Kernels and wrappers
/// of C libraries take tensors as operands, so that shapes are compared and no memory can go away under them.
@usableFromInline package struct TypedTensor<Element: BitwiseCopyable>: Sendable {
  package let shape: [Int]
  @usableFromInline package let count: Int
  @usableFromInline package let buffer: Buffer<Element>
  /// The position of the first element in `buffer`.
  @usableFromInline package let offset: Int

  /// A view of `buffer` starting at element `offset`.
  @usableFromInline package init(shape: [Int], buffer: Buffer<Element>, offset: Int = 0) {
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
  @usableFromInline package init(uninitialised shape: [Int]) {
    self.init(shape: shape, buffer: Buffer(count: shape.reduce(1, *)))
  }

  @usableFromInline package init(_ elements: [Element], shape: [Int]) {
    self.init(uninitialised: shape)
    copy(elements)
  }

  /// All of a buffer, as a vector.
  @usableFromInline package init(_ buffer: Buffer<Element>) { self.init(shape: [buffer.count], buffer: buffer) }

  /// The first element. The caller keeps the tensor alive while it uses the pointer. For kernels and wrappers of C
  /// libraries only.
  @inlinable package var pointer: UnsafeMutablePointer<Element> { buffer.pointer + offset }

  package var elements: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// An element by its index in row-major order.
  @inlinable
  package subscript(index: Int) -> Element {
    get { pointer[verified(index, of: count)] }
    nonmutating set { pointer[verified(index, of: count)] = newValue }
  }

  /// Consecutive elements from an index on, as many as the vector has.
  @inlinable
  package subscript<Vector: SIMD & BitwiseCopyable>(vector index: Int) -> Vector where Vector.Scalar == Element {
    get {
      UnsafeRawPointer(pointer + verified(index, Vector.scalarCount, of: count)).loadUnaligned(as: Vector.self)
    }
    nonmutating set {
      UnsafeMutableRawPointer(pointer + verified(index, Vector.scalarCount, of: count))
        .storeBytes(of: newValue, as: Vector.self)
    }
  }

  @inlinable
  package func fill(_ value: Element) { pointer.update(repeating: value, count: count) }

  /// Overwrites all elements.
  package func copy(_ elements: some Collection<Element>) {
    verify(elements.count == count, "\(elements.count) elements do not fill shape \(shape)")
    _ = UnsafeMutableBufferPointer(start: pointer, count: count).update(fromContentsOf: elements)
  }

  /// Overwrites all elements with those of a tensor of equal count, which may be the same.
  package func copy(_ other: TypedTensor) {
    verify(other.count == count, "\(other.count) elements do not fill shape \(shape)")
    if pointer != other.pointer { pointer.update(from: other.pointer, count: count) }
  }

  /// The same elements under another shape of equal count.
  package func reshaped(_ shape: [Int]) -> TypedTensor {
    verify(shape.reduce(1, *) == count, "shape \(self.shape) cannot be seen as \(shape)")
    return TypedTensor(shape: shape, buffer: buffer, offset: offset)
  }

  /// A range of the first dimension, such as images of a batch; a view of the same storage.
  package subscript(range: Range<Int>) -> TypedTensor {
    verify(
      !shape.isEmpty && range.lowerBound >= 0 && range.upperBound <= shape[0], "\(range) is not within \(shape)")
    let size = shape.dropFirst().reduce(1, *)
    return TypedTensor(
      shape: [range.count] + shape.dropFirst(), buffer: buffer, offset: offset + range.lowerBound * size)
  }

  /// One of the first dimension's entries, such as an image of a batch; a view of the same storage.
  package subscript(image index: Int) -> TypedTensor {
    self[index..<index + 1].reshaped(Array(shape.dropFirst()))
  }

  /// A copy with its own storage.
  package func copied() -> TypedTensor {
    let result = TypedTensor(uninitialised: shape)
    result.copy(self)
    return result
  }

  /// Calls `body` with the elements' bytes, which are valid until it returns; for code that does not use tensors.
  package func withUnsafeBytes<Result, Failure>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withUnsafeMutableBytes { (bytes) throws(Failure) in try body(UnsafeRawBufferPointer(bytes)) }
  }

  /// Calls `body` with the elements' bytes, to read and write until it returns; for code that does not use tensors.
  package func withUnsafeMutableBytes<Result, Failure>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(buffer) {} }
    return try body(UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(start: pointer, count: count)))
  }
}

extension TypedTensor where Element: Numeric {
  @usableFromInline package init(repeating value: Element = 0, shape: [Int]) {
    self.init(uninitialised: shape)
    fill(value)
  }
}

/// A tensor of floats, for networks, gradients and images in [−1, 1].
@usableFromInline package typealias Tensor = TypedTensor<Float>

/// Images as stored in files, 0 … 255.
@usableFromInline package typealias ByteTensor = TypedTensor<UInt8>

extension Tensor {
  /// Whether no element is infinite or not a number.
  package var isFinite: Bool {
    // A finite number times zero is zero; any other gives NaN, which propagates.
    var zeros = SIMD16<Float>()
    let whole = count / 16 * 16
    for index in stride(from: 0, to: whole, by: 16) { zeros += self[vector: index] * 0 }
    return zeros == SIMD16() && (whole..<count).allSatisfy { self[$0].isFinite }
  }
}
