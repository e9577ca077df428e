// The one-dimensional transforms of Winograd's F(4, 3) (Lavin and Gray: "Fast algorithms for convolutional neural
// networks", arXiv:1509.09308, section 4.1), with interpolation points 0, ±1, ±2 and ∞. A two-dimensional transform
// applies one along the columns and then along the rows. Each works on 16 channels at a time, from one table of
// vectors to another.

/// 36 or fewer vectors in the first-level cache.
typealias VectorTable = UnsafeMutablePointer<Vector>

enum WinogradTransform {
  /// Bᵀ·d: six inputs to six points.
  @inline(__always)
  static func input(
    _ d0: Vector, _ d1: Vector, _ d2: Vector, _ d3: Vector, _ d4: Vector, _ d5: Vector, _ put: (Int, Vector) -> Void
  ) {
    let even = d4 - 4 * d2
    let odd = d3 - 4 * d1
    let evenHalf = d4 - d2
    let oddHalf = 2 * (d3 - d1)
    put(0, 4 * d0 - 5 * d2 + d4)
    put(1, even + odd)
    put(2, even - odd)
    put(3, evenHalf + oddHalf)
    put(4, evenHalf - oddHalf)
    put(5, 4 * d1 - 5 * d3 + d5)
  }

  /// G·g: three taps to six points.
  @inline(__always)
  static func kernel(_ g0: Vector, _ g1: Vector, _ g2: Vector, _ put: (Int, Vector) -> Void) {
    let outer = (g0 + g2) * (-1.0 / 6)
    let middle = g1 * (1.0 / 6)
    let wide = g0 * (1.0 / 24) + g2 * (1.0 / 6)
    let half = g1 * (1.0 / 12)
    put(0, g0 * 0.25)
    put(1, outer - middle)
    put(2, outer + middle)
    put(3, wide + half)
    put(4, wide - half)
    put(5, g2)
  }

  /// Aᵀ·m: six points to four outputs.
  @inline(__always)
  static func output(
    _ m0: Vector, _ m1: Vector, _ m2: Vector, _ m3: Vector, _ m4: Vector, _ m5: Vector, _ put: (Int, Vector) -> Void
  ) {
    let sum1 = m1 + m2
    let difference1 = m1 - m2
    let sum2 = m3 + m4
    let difference2 = m3 - m4
    put(0, m0 + sum1 + sum2)
    put(1, difference1 + 2 * difference2)
    put(2, sum1 + 4 * sum2)
    put(3, difference1 + 8 * difference2 + m5)
  }

  /// A·y, the adjoint of `output`: four output gradients to six points.
  @inline(__always)
  static func outputAdjoint(_ y0: Vector, _ y1: Vector, _ y2: Vector, _ y3: Vector, _ put: (Int, Vector) -> Void) {
    let even = y0 + y2
    let odd = y1 + y3
    let evenWide = y0 + 4 * y2
    let oddWide = 2 * y1 + 8 * y3
    put(0, y0)
    put(1, even + odd)
    put(2, even - odd)
    put(3, evenWide + oddWide)
    put(4, evenWide - oddWide)
    put(5, y3)
  }

  /// Gᵀ·u, the adjoint of `kernel`: six points to three tap gradients.
  @inline(__always)
  static func kernelAdjoint(
    _ u0: Vector, _ u1: Vector, _ u2: Vector, _ u3: Vector, _ u4: Vector, _ u5: Vector, _ put: (Int, Vector) -> Void
  ) {
    let sum1 = u1 + u2
    let sum2 = u3 + u4
    put(0, u0 * 0.25 - sum1 * (1.0 / 6) + sum2 * (1.0 / 24))
    put(1, (u2 - u1) * (1.0 / 6) + (u3 - u4) * (1.0 / 12))
    put(2, (sum2 - sum1) * (1.0 / 6) + u5)
  }
}
