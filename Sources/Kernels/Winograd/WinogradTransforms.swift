// The one-dimensional transforms of Winograd's F(4, 3) (Lavin and Gray: "Fast algorithms for convolutional neural
// networks", arXiv:1509.09308, section 4.1), with interpolation points 0, 1, −1, 2, −2 and ∞. A two-dimensional
// transform applies one along the columns and then along the rows. Each works on 16 channels at a time.
//
// The transforms with five points are for the convolution of an image enlarged twofold by repeating its pixels. Six
// neighbouring inputs are then a, b, b, c, c, d, and their value at the point −1 is zero, so this point is left out of
// the products. The same holds for the adjoint, where every two outputs are added.

import CProcessor
import MicroKernels

/// Vectors in the first-level cache.
typealias VectorTable = UnsafeMutablePointer<Vector>

/// A linear map between small vectors of numbers, for 16 channels at once.
@usableFromInline package protocol LineTransform {
  static var inputs: Int { get }
  static var outputs: Int { get }
  static func apply(_ input: (Int) -> Vector, _ put: (Int, Vector) -> Void)
}

extension LineTransform {
  /// The maximum number of vectors that `applyTwice` processes together.
  static var maximumVectors: Int { 4 }
  /// Vectors for the results of the first step.
  static var scratchCount: Int { outputs * inputs * maximumVectors }

  /// T·X·Tᵀ for `count` neighbouring vectors of channels: the transform along the columns of X [inputs, inputs], then
  /// along the rows.
  ///
  /// All vectors take each step together, so that a step reads and writes only a few addresses at a time, each of them
  /// consecutively: a processor can prefetch a dozen streams, but not 36. Pass the number of vectors as a literal, so
  /// that the loops over them are unrolled and addresses differ by constants.
  ///
  /// - Parameters:
  ///   - count: at most `maximumVectors`.
  ///   - scratch: room for `scratchCount` vectors.
  ///   - source: returns the address of an element's first vector.
  ///   - sourceStride: the distance in floats to the element's next vector.
  ///   - ahead: the distance in floats to the vectors that the next call will read; they are prefetched,
  ///   - firstAhead: starting with this column. Earlier columns are already cached.
  ///   - put: receives a result.
  @inline(__always)
  static func applyTwice(
    count: Int, scratch: VectorTable, source: (_ row: Int, _ column: Int) -> UnsafePointer<Float>, sourceStride: Int,
    ahead: Int = 0, firstAhead: Int = .max, _ put: (_ row: Int, _ column: Int, _ vector: Int, Vector) -> Void
  ) {
    for column in 0..<inputs {
      // Separate names: a table would be read again for every vector.
      let (p0, p1, p2) = (source(0, column), source(1, column), source(2, column))
      let p3 = inputs > 3 ? source(3, column) : p0
      let p4 = inputs > 4 ? source(4, column) : p0
      let p5 = inputs > 5 ? source(5, column) : p0
      let target = scratch + column * maximumVectors
      for vector in 0..<count {
        let offset = vector * sourceStride
        if column >= firstAhead {
          ddpm_prefetch(p0 + (offset + ahead))
          ddpm_prefetch(p1 + (offset + ahead))
          ddpm_prefetch(p2 + (offset + ahead))
          if inputs > 3 { ddpm_prefetch(p3 + (offset + ahead)) }
          if inputs > 4 { ddpm_prefetch(p4 + (offset + ahead)) }
          if inputs > 5 { ddpm_prefetch(p5 + (offset + ahead)) }
        }
        apply({ row in
          load16((row == 0 ? p0 : row == 1 ? p1 : row == 2 ? p2 : row == 3 ? p3 : row == 4 ? p4 : p5) + offset)
        }) { target[$0 * inputs * maximumVectors + vector] = $1 }
      }
    }
    for row in 0..<outputs {
      let line = scratch + row * inputs * maximumVectors
      for vector in 0..<count {
        apply({ line[$0 * maximumVectors + vector] }) { put(row, $0, vector, $1) }
      }
    }
  }
}

/// The three transforms of a convolution, with the same points.
protocol WinogradPoints {
  /// Bᵀ: inputs under a tile to points.
  associatedtype Input: LineTransform
  /// G: kernel taps to points.
  associatedtype Kernel: LineTransform
  /// Aᵀ: points to outputs.
  associatedtype Output: LineTransform
}

extension WinogradPoints {
  /// The number of points of a tile.
  static var count: Int { Input.outputs * Input.outputs }
}

/// The adjoints of two of them, for the gradient with respect to the kernel.
protocol WinogradGradientPoints: WinogradPoints {
  /// A: output gradients to points.
  associatedtype OutputAdjoint: LineTransform
  /// Gᵀ: points to gradients of taps.
  associatedtype KernelAdjoint: LineTransform
}

/// The plain convolution: 6 inputs, 6 points, 4 outputs.
@usableFromInline package enum SixPoints: WinogradGradientPoints {
  @usableFromInline package enum Input: LineTransform {
    @inlinable package static var inputs: Int { 6 }
    @inlinable package static var outputs: Int { 6 }

    @inlinable @inline(__always)
    package static func apply(_ d: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let (d0, d1, d2, d3, d4, d5) = (d(0), d(1), d(2), d(3), d(4), d(5))
      let even = d4.adding(-4, times: d2)
      let odd = d3.adding(-4, times: d1)
      let evenHalf = d4 - d2
      let oddHalf = d3 - d1
      put(0, d4.adding(-5, times: d2).adding(4, times: d0))
      put(1, even + odd)
      put(2, even - odd)
      put(3, evenHalf.adding(2, times: oddHalf))
      put(4, evenHalf.adding(-2, times: oddHalf))
      put(5, d5.adding(-5, times: d3).adding(4, times: d1))
    }
  }

  enum Kernel: LineTransform {
    static var inputs: Int { 3 }
    static var outputs: Int { 6 }

    @inline(__always)
    static func apply(_ g: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let (g0, g1, g2) = (g(0), g(1), g(2))
      let outer = (g0 + g2) * (-1.0 / 6)
      let middle = g1 * (1.0 / 6)
      let wide = (g0 * (1.0 / 24)).adding(1.0 / 6, times: g2)
      put(0, g0 * 0.25)
      put(1, outer - middle)
      put(2, outer + middle)
      put(3, wide.adding(1.0 / 12, times: g1))
      put(4, wide.adding(-1.0 / 12, times: g1))
      put(5, g2)
    }
  }

  @usableFromInline package enum Output: LineTransform {
    @inlinable package static var inputs: Int { 6 }
    @inlinable package static var outputs: Int { 4 }

    @inlinable @inline(__always)
    package static func apply(_ m: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let (m1, m2, m3, m4) = (m(1), m(2), m(3), m(4))
      let sum1 = m1 + m2
      let difference1 = m1 - m2
      let sum2 = m3 + m4
      let difference2 = m3 - m4
      put(0, m(0) + sum1 + sum2)
      put(1, difference1.adding(2, times: difference2))
      put(2, sum1.adding(4, times: sum2))
      put(3, (difference1 + m(5)).adding(8, times: difference2))
    }
  }

  enum OutputAdjoint: LineTransform {
    static var inputs: Int { 4 }
    static var outputs: Int { 6 }

    @inline(__always)
    static func apply(_ y: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let (y0, y1, y2, y3) = (y(0), y(1), y(2), y(3))
      let even = y0 + y2
      let odd = y1 + y3
      let evenWide = y0.adding(4, times: y2)
      let oddHalf = y1.adding(4, times: y3)
      put(0, y0)
      put(1, even + odd)
      put(2, even - odd)
      put(3, evenWide.adding(2, times: oddHalf))
      put(4, evenWide.adding(-2, times: oddHalf))
      put(5, y3)
    }
  }

  enum KernelAdjoint: LineTransform {
    static var inputs: Int { 6 }
    static var outputs: Int { 3 }

    @inline(__always)
    static func apply(_ u: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let (u1, u2, u3, u4) = (u(1), u(2), u(3), u(4))
      let sum1 = u1 + u2
      let sum2 = u3 + u4
      put(0, (u(0) * 0.25).adding(-1.0 / 6, times: sum1).adding(1.0 / 24, times: sum2))
      put(1, ((u2 - u1) * (1.0 / 6)).adding(1.0 / 12, times: u3 - u4))
      put(2, u(5).adding(1.0 / 6, times: sum2 - sum1))
    }
  }
}

/// The convolution of an enlarged image, from the pixels a, b, c, d before enlarging: 4 inputs, 5 points, 4 outputs.
enum EnlargedPoints: WinogradGradientPoints {
  enum Input: LineTransform {
    static var inputs: Int { 4 }
    static var outputs: Int { 5 }

    @inline(__always)
    static func apply(_ x: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let (b, c) = (x(1), x(2))
      let difference = c - b
      let even = c.adding(-4, times: b)
      put(0, c.adding(-5, times: b).adding(4, times: x(0)))
      put(1, even + even)
      put(2, difference * 3)
      put(3, b - c)
      put(4, x(3).adding(-5, times: c).adding(4, times: b))
    }
  }

  typealias Kernel = WithoutThird<SixPoints.Kernel>

  enum Output: LineTransform {
    static var inputs: Int { 5 }
    static var outputs: Int { 4 }

    @inline(__always)
    static func apply(_ m: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let m1 = m(1)
      let sum = m(2) + m(3)
      let difference = m(2) - m(3)
      put(0, m(0) + m1 + sum)
      put(1, m1.adding(2, times: difference))
      put(2, m1.adding(4, times: sum))
      put(3, (m1 + m(4)).adding(8, times: difference))
    }
  }

  typealias OutputAdjoint = WithoutThird<SixPoints.OutputAdjoint>

  enum KernelAdjoint: LineTransform {
    static var inputs: Int { 5 }
    static var outputs: Int { 3 }

    @inline(__always)
    static func apply(_ u: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let u1 = u(1)
      let sum = u(2) + u(3)
      put(0, (u(0) * 0.25).adding(-1.0 / 6, times: u1).adding(1.0 / 24, times: sum))
      put(1, ((u(2) - u(3)) * (1.0 / 12)).adding(-1.0 / 6, times: u1))
      put(2, u(4).adding(1.0 / 6, times: sum - u1))
    }
  }
}

/// The adjoint of `EnlargedPoints`: a plain convolution whose neighbouring outputs are added in pairs; 6 inputs, 5
/// points, 2 outputs.
enum PooledPoints: WinogradPoints {
  typealias Input = WithoutThird<SixPoints.Input>
  typealias Kernel = WithoutThird<SixPoints.Kernel>

  enum Output: LineTransform {
    static var inputs: Int { 5 }
    static var outputs: Int { 2 }

    @inline(__always)
    static func apply(_ m: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      put(0, (m(0) - m(3)).adding(2, times: m(1)).adding(3, times: m(2)))
      put(1, m(4).adding(2, times: m(1)).adding(12, times: m(2)).adding(-4, times: m(3)))
    }
  }
}

/// A transform to six points, without the point −1.
enum WithoutThird<Base: LineTransform>: LineTransform {
  static var inputs: Int { Base.inputs }
  static var outputs: Int { Base.outputs - 1 }

  @inline(__always)
  static func apply(_ input: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
    Base.apply(input) { point, value in
      if point != 2 { put(point < 2 ? point : point - 1, value) }
    }
  }
}
