/// Solves M·v = b for a symmetric positive definite M (Hestenes, Stiefel: "Methods of conjugate gradients for solving
/// linear systems", 1952). Each image has a system of its own and stops by itself, so its solution does not depend on the
/// rest of the batch.
struct ConjugateGradients {
  /// An image stops when ‖b − M·v‖ ≤ tolerance·‖b‖.
  var tolerance = 1e-9
  var maximumIterations = 10_000

  /// - Parameter multiply: M·v for all images.
  /// - Returns: v, and whether all images have reached the tolerance. An image along whose direction M is not positive
  ///   keeps the solution so far.
  func solve(
    _ b: DoubleTensor, _ multiply: (_ v: DoubleTensor) throws -> DoubleTensor
  ) rethrows -> (v: DoubleTensor, isExact: Bool) {
    var v = DoubleTensor(shape: b.shape)
    var residual = b
    var direction = b
    var squares = residual.imageProducts(residual)
    let limits = squares.map { $0 * tolerance * tolerance }
    var active = zip(squares, limits).map { $0 > $1 }
    for _ in 0..<maximumIterations {
      if !active.contains(true) { break }
      let product = try multiply(direction)
      let curvatures = direction.imageProducts(product)
      // NaN is not positive either.
      for image in active.indices where active[image] { active[image] = curvatures[image] > 0 }
      let lengths = active.indices.map { active[$0] ? squares[$0] / curvatures[$0] : 0 }
      v = DoubleTensor(v + lengths * direction)
      residual = DoubleTensor(residual - lengths * product)
      let next = residual.imageProducts(residual)
      let ratios = active.indices.map { active[$0] ? next[$0] / squares[$0] : 0 }
      direction = DoubleTensor(residual + ratios * direction)
      for image in active.indices where active[image] {
        squares[image] = next[image]
        active[image] = next[image] > limits[image]
      }
    }
    return (v, zip(squares, limits).allSatisfy { $0 <= $1 })
  }
}
