import Tensors

extension Elementwise {
  /// target += source.
  public static func add(_ source: Tensor, into target: Tensor, workers: WorkerPool) {
    sum(target, source, into: target, workers: workers)
  }

  /// sum = a + b; overwrites, and may be a or b.
  public static func sum(_ a: Tensor, _ b: Tensor, into sum: Tensor, workers: WorkerPool) {
    check(a, b, sum)
    self.sum(a.pointer, b.pointer, into: sum.pointer, count: sum.count, workers: workers)
  }

  /// y = factor·x; overwrites, and may be x.
  public static func multiple(_ x: Tensor, by factor: Float, into y: Tensor, workers: WorkerPool) {
    check(x, y)
    multiple(x.pointer, by: factor, into: y.pointer, count: y.count, workers: workers)
  }

  /// sum = factor·(a + b); overwrites, and may be a or b.
  public static func scaledSum(_ a: Tensor, _ b: Tensor, by factor: Float, into sum: Tensor, workers: WorkerPool) {
    check(a, b, sum)
    scaledSum(a.pointer, b.pointer, by: factor, into: sum.pointer, count: sum.count, workers: workers)
  }

  /// y = x·sigmoid(x); overwrites, and may be x.
  public static func siluForward(_ x: Tensor, into y: Tensor, workers: WorkerPool) {
    check(x, y)
    siluForward(x: x.pointer, y: y.pointer, count: y.count, workers: workers)
  }

  /// dx = dy·silu′(x); overwrites, and may be dy.
  public static func siluBackward(_ x: Tensor, dy: Tensor, into dx: Tensor, workers: WorkerPool) {
    check(x, dy, dx)
    siluBackward(x: x.pointer, dy: dy.pointer, dx: dx.pointer, count: dx.count, workers: workers)
  }

  private static func check(_ operands: Tensor...) {
    verify(operands.allSatisfy { $0.count == operands[0].count }, "operands must have the same size")
  }
}
