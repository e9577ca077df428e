import Tensors

extension Attention.Geometry {
  /// - Parameter shape: the shape of queries, [N, …, C], where the dimensions in between are tokens.
  public init(_ shape: [Int], heads: Int = 1) {
    verify(shape.count >= 2, "\(shape) must have images and channels")
    verify(
      heads > 0 && shape[shape.count - 1].isMultiple(of: heads), "\(shape.last!) channels do not form \(heads) heads")
    self.init(
      images: shape[0], tokens: shape.dropFirst().dropLast().reduce(1, *), channels: shape[shape.count - 1],
      heads: heads)
  }
}

extension Attention {
  /// y = softmax(q·kᵀ/√d)·v of every head, all [N, …, C], where the dimensions in between are tokens; overwrites y. An
  /// image's result does not depend on the other images.
  public static func forward(
    query: Tensor, key: Tensor, value: Tensor, into y: Tensor, heads: Int, workers: WorkerPool
  ) {
    check(query, key, value, y)
    forward(
      query: query.pointer, key: key.pointer, value: value.pointer, y: y.pointer,
      geometry: Geometry(query.shape, heads: heads), workers: workers)
  }

  /// Computes the gradients of `forward`, given dy = ∂loss/∂y. Overwrites dQuery, dKey and dValue.
  public static func backward(
    query: Tensor, key: Tensor, value: Tensor, dy: Tensor, dQuery: Tensor, dKey: Tensor, dValue: Tensor, heads: Int,
    workers: WorkerPool
  ) {
    check(query, key, value, dy, dQuery, dKey, dValue)
    backward(
      query: query.pointer, key: key.pointer, value: value.pointer, dy: dy.pointer, dQuery: dQuery.pointer,
      dKey: dKey.pointer, dValue: dValue.pointer, geometry: Geometry(query.shape, heads: heads), workers: workers)
  }

  private static func check(_ operands: Tensor...) {
    verify(operands.allSatisfy { $0.shape == operands[0].shape }, "operands must have the same shape")
  }
}
