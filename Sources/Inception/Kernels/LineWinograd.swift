// One-dimensional convolutions by interpolation, for kernels that are a row or a column: Winograd's F(4, r) (Lavin and
// Gray, arXiv:1509.09308), whose 4 + r − 1 inputs become as many points, and whose products become 4 outputs.

import Kernels
import MicroKernels

/// The transforms of a line's inputs and products, with the same points.
protocol LinePoints {
  /// Inputs to points.
  associatedtype Input: LineTransform
  /// Points to 4 outputs.
  associatedtype Output: LineTransform
  /// The points at which the polynomials are evaluated, except for the last point, which is ∞.
  static var finitePoints: [Double] { get }
}

extension LinePoints {
  static var tapCount: Int { Input.inputs - Output.outputs + 1 }

  /// G: weights of the taps in each point's kernel, [points][taps]. Those of a point p are p^tap / Π (p − q) over the
  /// other points q; the last point's kernel is the last tap.
  static var kernelWeights: [[Double]] {
    finitePoints.map { point in
      let scale = finitePoints.reduce(1) { $1 == point ? $0 : $0 * (point - $1) }
      var power = 1 / scale
      return (0..<tapCount).map { _ in
        defer { power *= point }
        return power
      }
    } + [(0..<tapCount).map { $0 == tapCount - 1 ? 1 : 0 }]
  }
}

/// F(4, 3), with the points of `SixPoints`.
enum SixLinePoints: LinePoints {
  typealias Input = SixPoints.Input
  typealias Output = SixPoints.Output
  static let finitePoints: [Double] = [0, 1, -1, 2, -2]
}

/// F(4, 7): ten points for 28 products.
///
/// The points 0, ±2/5, ±4/5, ±5/4, ±5/2 and ∞ are the fractions of small numbers that amplify rounding errors least: 10
/// times in the root mean square, like `SixPoints` in two dimensions.
enum TenLinePoints: LinePoints {
  static let finitePoints: [Double] = [0, 0.4, -0.4, 0.8, -0.8, 1.25, -1.25, 2.5, -2.5]

  /// Row p of Bᵀ has the coefficients of Π (x − q) over the other points q. With Q(x²) the product over the three other
  /// pairs, the rows of ±p are those of x²·Q(x²) ± p·x·Q(x²).
  enum Input: LineTransform {
    static var inputs: Int { 10 }
    static var outputs: Int { 10 }

    // Q of each pair; the squares are 0.16, 0.64, 1.5625 and 6.25.
    @inline(__always) private static var others1: SIMD3<Float> { cubic(0.64, 1.5625, 6.25) }
    @inline(__always) private static var others2: SIMD3<Float> { cubic(0.16, 1.5625, 6.25) }
    @inline(__always) private static var others3: SIMD3<Float> { cubic(0.16, 0.64, 6.25) }
    @inline(__always) private static var others4: SIMD3<Float> { cubic(0.16, 0.64, 1.5625) }

    /// The coefficients of (t − a)·(t − b)·(t − c), without that of t³, which is 1.
    @inline(__always)
    private static func cubic(_ a: Float, _ b: Float, _ c: Float) -> SIMD3<Float> {
      SIMD3(-a * b * c, a * b + a * c + b * c, -a - b - c)
    }

    /// The coefficients of the product of (t − square) over all four squares, without that of t⁴, which is 1.
    @inline(__always) private static var all: SIMD4<Float> {
      let q = others1
      return SIMD4(-0.16 * q.x, q.x - 0.16 * q.y, q.y - 0.16 * q.z, q.z - 0.16)
    }

    @inline(__always)
    static func apply(_ d: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let (d1, d2, d3, d4) = (d(1), d(2), d(3), d(4))
      let (d5, d6, d7, d8) = (d(5), d(6), d(7), d(8))
      let all = all
      put(0, d8.adding(all.x, times: d(0)).adding(all.y, times: d2).adding(all.z, times: d4).adding(all.w, times: d6))
      @inline(__always)
      func putPair(_ first: Int, _ point: Float, _ q: SIMD3<Float>) {
        let even = d8.adding(q.x, times: d2).adding(q.y, times: d4).adding(q.z, times: d6)
        let odd = d7.adding(q.x, times: d1).adding(q.y, times: d3).adding(q.z, times: d5)
        put(first, even.adding(point, times: odd))
        put(first + 1, even.adding(-point, times: odd))
      }
      putPair(1, 0.4, others1)
      putPair(3, 0.8, others2)
      putPair(5, 1.25, others3)
      putPair(7, 2.5, others4)
      put(9, d(9).adding(all.x, times: d1).adding(all.y, times: d3).adding(all.z, times: d5).adding(all.w, times: d7))
    }
  }

  /// Row k of Aᵀ has the points' powers p^k.
  enum Output: LineTransform {
    static var inputs: Int { 10 }
    static var outputs: Int { 4 }

    @inline(__always)
    static func apply(_ m: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let (sum1, difference1) = (m(1) + m(2), m(1) - m(2))
      let (sum2, difference2) = (m(3) + m(4), m(3) - m(4))
      let (sum3, difference3) = (m(5) + m(6), m(5) - m(6))
      let (sum4, difference4) = (m(7) + m(8), m(7) - m(8))
      put(0, m(0) + sum1 + sum2 + (sum3 + sum4))
      put(
        1,
        (difference1 * 0.4).adding(0.8, times: difference2).adding(1.25, times: difference3)
          .adding(2.5, times: difference4))
      put(2, (sum1 * 0.16).adding(0.64, times: sum2).adding(1.5625, times: sum3).adding(6.25, times: sum4))
      put(
        3,
        m(9).adding(0.064, times: difference1).adding(0.512, times: difference2).adding(1.953125, times: difference3)
          .adding(15.625, times: difference4))
    }
  }
}
