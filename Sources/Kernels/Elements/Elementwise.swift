import MicroKernels
import Tensors

/// Elementwise functions of flat vectors. Each element is computed independently, so threads and batches do not affect
/// the result.
public enum Elementwise {
  /// Elements per item of work.
  static let grain = 1 << 15

  /// target += source.
  package static func add(
    _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, count: Int, workers: WorkerPool
  ) {
    sum(target, source, into: target, count: count, workers: workers)
  }

  /// sum = a + b; overwrites, and may be a or b.
  package static func sum(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into sum: UnsafeMutablePointer<Float>, count: Int,
    workers: WorkerPool
  ) {
    workers.forEachRange(count, grain: grain) { range in
      @inline(__always)
      func step(_ i: Int, _ lanes: Int) { store(load(a + i, lanes) + load(b + i, lanes), sum + i, lanes) }
      forEachVector(range, step)
    }
  }

  /// values ×= factor.
  package static func scale(
    _ values: UnsafeMutablePointer<Float>, by factor: Float, count: Int, workers: WorkerPool
  ) {
    multiple(values, by: factor, into: values, count: count, workers: workers)
  }

  /// y = factor·x; overwrites, and may be x.
  package static func multiple(
    _ x: UnsafePointer<Float>, by factor: Float, into y: UnsafeMutablePointer<Float>, count: Int, workers: WorkerPool
  ) {
    workers.forEachRange(count, grain: grain) { range in
      @inline(__always)
      func step(_ i: Int, _ lanes: Int) { store(load(x + i, lanes) * factor, y + i, lanes) }
      forEachVector(range, step)
    }
  }

  /// sum = factor·(a + b); overwrites, and may be a or b.
  package static func scaledSum(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, by factor: Float, into sum: UnsafeMutablePointer<Float>,
    count: Int, workers: WorkerPool
  ) {
    workers.forEachRange(count, grain: grain) { range in
      @inline(__always)
      func step(_ i: Int, _ lanes: Int) { store((load(a + i, lanes) + load(b + i, lanes)) * factor, sum + i, lanes) }
      forEachVector(range, step)
    }
  }

  /// y = eˣ within 2 units in the last place for −87.3 ≤ x ≤ 88.3, saturating outside; overwrites, and may be x.
  package static func exponential(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, workers: WorkerPool
  ) {
    workers.forEachRange(count, grain: grain) { range in
      @inline(__always)
      func step(_ i: Int, _ lanes: Int) { store(Kernels.exponential(load(x + i, lanes)), y + i, lanes) }
      forEachVector(range, step)
    }
  }

  /// y = 1 / (1 + e⁻ˣ); overwrites, and may be x.
  package static func sigmoid(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, workers: WorkerPool
  ) {
    workers.forEachRange(count, grain: grain) { range in
      @inline(__always)
      func step(_ i: Int, _ lanes: Int) { store(Kernels.sigmoid(load(x + i, lanes)), y + i, lanes) }
      forEachVector(range, step)
    }
  }

  /// y = x·sigmoid(x); overwrites, and may be x.
  package static func siluForward(
    x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, count: Int, workers: WorkerPool
  ) {
    workers.forEachRange(count, grain: grain) { range in
      @inline(__always)
      func step(_ i: Int, _ lanes: Int) { store(silu(load(x + i, lanes)), y + i, lanes) }
      forEachVector(range, step)
    }
  }

  /// dx = dy·silu′(x), silu′(x) = s·(1 + x·(1 − s)) with s = sigmoid(x); overwrites, and may be dy.
  package static func siluBackward(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, count: Int, workers: WorkerPool
  ) {
    workers.forEachRange(count, grain: grain) { range in
      @inline(__always)
      func step(_ i: Int, _ lanes: Int) { store(load(dy + i, lanes) * siluSlope(load(x + i, lanes)), dx + i, lanes) }
      forEachVector(range, step)
    }
  }
}
