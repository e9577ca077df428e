import MicroKernels
import Tensors

/// Elementwise functions of operands of the same size; a result may replace an operand. Each element is computed
/// independently, so threads and batches do not affect the result.
package enum Elementwise {
  /// Elements per item of work.
  static let grain = 1 << 15

  /// target += source.
  package static func add(_ source: Tensor, into target: Tensor, workers: WorkerPool) {
    sum(target, source, into: target, workers: workers)
  }

  /// sum = a + b.
  package static func sum(_ a: Tensor, _ b: Tensor, into sum: Tensor, workers: WorkerPool) {
    check(a, b, sum)
    self.sum(a.pointer, b.pointer, into: sum.pointer, count: sum.count, workers: workers)
  }

  static func sum(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into sum: UnsafeMutablePointer<Float>, count: Int,
    workers: WorkerPool
  ) {
    workers.forEachRange(count, grain: grain) { range in
      @inline(__always)
      func step(_ i: Int, _ lanes: Int) { store(load(a + i, lanes) + load(b + i, lanes), sum + i, lanes) }
      forEachVector(range, step)
    }
  }

  /// y = factor·x.
  package static func multiple(_ x: Tensor, by factor: Float, into y: Tensor, workers: WorkerPool) {
    check(x, y)
    let (source, target) = (x.pointer, y.pointer)
    workers.forEachRange(y.count, grain: grain) { range in
      @inline(__always)
      func step(_ i: Int, _ lanes: Int) { store(load(source + i, lanes) * factor, target + i, lanes) }
      forEachVector(range, step)
    }
  }

  /// sum = factor·(a + b).
  package static func scaledSum(_ a: Tensor, _ b: Tensor, by factor: Float, into sum: Tensor, workers: WorkerPool) {
    check(a, b, sum)
    let (left, right, target) = (a.pointer, b.pointer, sum.pointer)
    workers.forEachRange(sum.count, grain: grain) { range in
      @inline(__always)
      func step(_ i: Int, _ lanes: Int) {
        store((load(left + i, lanes) + load(right + i, lanes)) * factor, target + i, lanes)
      }
      forEachVector(range, step)
    }
  }

  /// y = x·sigmoid(x).
  package static func siluForward(_ x: Tensor, into y: Tensor, workers: WorkerPool) {
    check(x, y)
    let (source, target) = (x.pointer, y.pointer)
    workers.forEachRange(y.count, grain: grain) { range in
      @inline(__always)
      func step(_ i: Int, _ lanes: Int) { store(silu(load(source + i, lanes)), target + i, lanes) }
      forEachVector(range, step)
    }
  }

  /// dx = dy·silu′(x), silu′(x) = s·(1 + x·(1 − s)) with s = sigmoid(x).
  package static func siluBackward(_ x: Tensor, dy: Tensor, into dx: Tensor, workers: WorkerPool) {
    check(x, dy, dx)
    let (source, gradient, target) = (x.pointer, dy.pointer, dx.pointer)
    workers.forEachRange(dx.count, grain: grain) { range in
      @inline(__always)
      func step(_ i: Int, _ lanes: Int) {
        store(load(gradient + i, lanes) * siluSlope(load(source + i, lanes)), target + i, lanes)
      }
      forEachVector(range, step)
    }
  }

  private static func check(_ operands: Tensor...) {
    verify(operands.allSatisfy { $0.count == operands[0].count }, "operands must have the same size")
  }
}
