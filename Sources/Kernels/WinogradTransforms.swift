// The one-dimensional transforms of Winograd's F(4, 3) (Lavin and Gray: "Fast algorithms for convolutional neural
// networks", arXiv:1509.09308, section 4.1), with interpolation points 0, 1, −1, 2, −2 and ∞. A two-dimensional
// transform applies one along the columns and then along the rows. Each works on 16 channels at a time.
//
// Those of five points are for the convolution of an image enlarged twofold by repeating its pixels. Six neighbouring
// inputs are then a, b, b, c, c, d, and their value at the point −1 is zero: this point takes no part in the
// products. The same holds in the adjoint, where each two outputs are added.

/// 36 or fewer vectors in the first-level cache.
typealias VectorTable = UnsafeMutablePointer<Vector>

/// A linear map of a few numbers to a few others, for 16 channels at once.
protocol LineTransform {
  static var inputs: Int { get }
  static var outputs: Int { get }
  static func apply(_ input: (Int) -> Vector, _ put: (Int, Vector) -> Void)
}

extension LineTransform {
  /// T·X·Tᵀ: the transform along the columns of X [inputs, inputs], then along the rows.
  ///
  /// - Parameter scratch: room for outputs·inputs vectors.
  @inline(__always)
  static func applyTwice(
    scratch: VectorTable, _ input: (_ row: Int, _ column: Int) -> Vector,
    _ put: (_ row: Int, _ column: Int, Vector) -> Void
  ) {
    for column in 0..<inputs {
      apply({ input($0, column) }) { scratch[$0 * inputs + column] = $1 }
    }
    for row in 0..<outputs {
      let line = scratch + row * inputs
      apply({ line[$0] }) { put(row, $0, $1) }
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

/// And the adjoints of two of them, for the gradient with respect to the kernel.
protocol WinogradGradientPoints: WinogradPoints {
  /// A: output gradients to points.
  associatedtype OutputAdjoint: LineTransform
  /// Gᵀ: points to gradients of taps.
  associatedtype KernelAdjoint: LineTransform
}

/// The plain convolution: 6 inputs, 6 points, 4 outputs.
enum SixPoints: WinogradGradientPoints {
  enum Input: LineTransform {
    static let inputs = 6
    static let outputs = 6

    @inline(__always)
    static func apply(_ d: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let (d0, d1, d2, d3, d4, d5) = (d(0), d(1), d(2), d(3), d(4), d(5))
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
  }

  enum Kernel: LineTransform {
    static let inputs = 3
    static let outputs = 6

    @inline(__always)
    static func apply(_ g: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let (g0, g1, g2) = (g(0), g(1), g(2))
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
  }

  enum Output: LineTransform {
    static let inputs = 6
    static let outputs = 4

    @inline(__always)
    static func apply(_ m: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let (m1, m2, m3, m4) = (m(1), m(2), m(3), m(4))
      let sum1 = m1 + m2
      let difference1 = m1 - m2
      let sum2 = m3 + m4
      let difference2 = m3 - m4
      put(0, m(0) + sum1 + sum2)
      put(1, difference1 + 2 * difference2)
      put(2, sum1 + 4 * sum2)
      put(3, difference1 + 8 * difference2 + m(5))
    }
  }

  enum OutputAdjoint: LineTransform {
    static let inputs = 4
    static let outputs = 6

    @inline(__always)
    static func apply(_ y: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let (y0, y1, y2, y3) = (y(0), y(1), y(2), y(3))
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
  }

  enum KernelAdjoint: LineTransform {
    static let inputs = 6
    static let outputs = 3

    @inline(__always)
    static func apply(_ u: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let (u1, u2, u3, u4) = (u(1), u(2), u(3), u(4))
      let sum1 = u1 + u2
      let sum2 = u3 + u4
      put(0, u(0) * 0.25 - sum1 * (1.0 / 6) + sum2 * (1.0 / 24))
      put(1, (u2 - u1) * (1.0 / 6) + (u3 - u4) * (1.0 / 12))
      put(2, (sum2 - sum1) * (1.0 / 6) + u(5))
    }
  }
}

/// The convolution of an enlarged image, from the pixels a, b, c, d before enlarging: 4 inputs, 5 points, 4 outputs.
enum EnlargedPoints: WinogradGradientPoints {
  enum Input: LineTransform {
    static let inputs = 4
    static let outputs = 5

    @inline(__always)
    static func apply(_ x: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let (b, c) = (x(1), x(2))
      let difference = c - b
      put(0, 4 * x(0) - 5 * b + c)
      put(1, 2 * (c - 4 * b))
      put(2, 3 * difference)
      put(3, -difference)
      put(4, 4 * b - 5 * c + x(3))
    }
  }

  typealias Kernel = WithoutThird<SixPoints.Kernel>

  enum Output: LineTransform {
    static let inputs = 5
    static let outputs = 4

    @inline(__always)
    static func apply(_ m: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let m1 = m(1)
      let sum = m(2) + m(3)
      let difference = m(2) - m(3)
      put(0, m(0) + m1 + sum)
      put(1, m1 + 2 * difference)
      put(2, m1 + 4 * sum)
      put(3, m1 + 8 * difference + m(4))
    }
  }

  typealias OutputAdjoint = WithoutThird<SixPoints.OutputAdjoint>

  enum KernelAdjoint: LineTransform {
    static let inputs = 5
    static let outputs = 3

    @inline(__always)
    static func apply(_ u: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      let u1 = u(1)
      let sum = u(2) + u(3)
      put(0, u(0) * 0.25 - u1 * (1.0 / 6) + sum * (1.0 / 24))
      put(1, (u(2) - u(3)) * (1.0 / 12) - u1 * (1.0 / 6))
      put(2, (sum - u1) * (1.0 / 6) + u(4))
    }
  }
}

/// The adjoint of `EnlargedPoints`: a plain convolution whose neighbouring outputs are added by twos; 6 inputs, 5
/// points, 2 outputs.
enum PooledPoints: WinogradPoints {
  typealias Input = WithoutThird<SixPoints.Input>
  typealias Kernel = WithoutThird<SixPoints.Kernel>

  enum Output: LineTransform {
    static let inputs = 5
    static let outputs = 2

    @inline(__always)
    static func apply(_ m: (Int) -> Vector, _ put: (Int, Vector) -> Void) {
      put(0, m(0) + 2 * m(1) + 3 * m(2) - m(3))
      put(1, 2 * m(1) + 12 * m(2) - 4 * m(3) + m(4))
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
