import CBuildTarget

/// Sixteen floats: one 512-bit register, or two of 256 bits.
@usableFromInline package typealias Vector = SIMD16<Float>

@inlinable package var vectorWidth: Int { 16 }

@inlinable @inline(__always)
package func load16(_ pointer: UnsafePointer<Float>) -> Vector {
  UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
}

@inlinable @inline(__always)
package func store16(_ vector: Vector, _ pointer: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(pointer).storeBytes(of: vector, as: Vector.self)
}

// Partial vectors are rare. Since they are handled by separate functions, the loops around them stay short enough for
// everything else to be inlined.

/// The first `count` < 16 floats, then zeros.
@inlinable @inline(never)
package func loadPartial(_ pointer: UnsafePointer<Float>, _ count: Int) -> Vector {
  var vector = Vector()
  withUnsafeMutableBytes(of: &vector) {
    $0.baseAddress.unsafelyUnwrapped.copyMemory(from: pointer, byteCount: count * MemoryLayout<Float>.stride)
  }
  return vector
}

@inlinable @inline(never)
package func storePartial(_ vector: Vector, _ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
  withUnsafeBytes(of: vector) {
    UnsafeMutableRawPointer(pointer).copyMemory(
      from: $0.baseAddress.unsafelyUnwrapped, byteCount: count * MemoryLayout<Float>.stride)
  }
}

/// `load16`, or `loadPartial` if fewer than 16 floats are left.
@inlinable @inline(__always)
package func load(_ pointer: UnsafePointer<Float>, _ left: Int) -> Vector {
  left >= vectorWidth ? load16(pointer) : loadPartial(pointer, left)
}

/// `store16`, or `storePartial` if there is room for fewer than 16 floats.
@inlinable @inline(__always)
package func store(_ vector: Vector, _ pointer: UnsafeMutablePointer<Float>, _ left: Int) {
  if left >= vectorWidth { store16(vector, pointer) } else { storePartial(vector, pointer, left) }
}

// Arithmetic of whole vectors, instead of the standard library's; see vector_arithmetic.h. All combinations are here,
// used or not: for one that is missing, the compiler takes the standard library's, and kernels take twice as long.
extension Vector {
  @inlinable @inline(__always) package static func + (a: Vector, b: Vector) -> Vector { ddpm_add(a, b) }
  @inlinable @inline(__always) package static func - (a: Vector, b: Vector) -> Vector { ddpm_subtract(a, b) }
  @inlinable @inline(__always) package static func * (a: Vector, b: Vector) -> Vector { ddpm_multiply(a, b) }
  @inlinable @inline(__always) package static func / (a: Vector, b: Vector) -> Vector { ddpm_divide(a, b) }
  @inlinable @inline(__always) package static func + (a: Float, b: Vector) -> Vector {
    ddpm_add(Vector(repeating: a), b)
  }
  @inlinable @inline(__always) package static func + (a: Vector, b: Float) -> Vector {
    ddpm_add(a, Vector(repeating: b))
  }
  @inlinable @inline(__always) package static func - (a: Float, b: Vector) -> Vector {
    ddpm_subtract(Vector(repeating: a), b)
  }
  @inlinable @inline(__always) package static func - (a: Vector, b: Float) -> Vector {
    ddpm_subtract(a, Vector(repeating: b))
  }
  @inlinable @inline(__always) package static func * (a: Float, b: Vector) -> Vector {
    ddpm_multiply(Vector(repeating: a), b)
  }
  @inlinable @inline(__always) package static func * (a: Vector, b: Float) -> Vector {
    ddpm_multiply(a, Vector(repeating: b))
  }
  @inlinable @inline(__always) package static func / (a: Float, b: Vector) -> Vector {
    ddpm_divide(Vector(repeating: a), b)
  }
  @inlinable @inline(__always) package static func / (a: Vector, b: Float) -> Vector {
    ddpm_divide(a, Vector(repeating: b))
  }
  @inlinable @inline(__always) package static func += (a: inout Vector, b: Vector) { a = a + b }
  @inlinable @inline(__always) package static func -= (a: inout Vector, b: Vector) { a = a - b }
  @inlinable @inline(__always) package static func *= (a: inout Vector, b: Vector) { a = a * b }

  /// self + a·b, rounded once.
  @inlinable @inline(__always)
  package func addingProduct(_ a: Vector, _ b: Vector) -> Vector { ddpm_add_product(self, a, b) }
}

extension Vector {
  /// The minimum of `self` and a limit in each lane; NaN stays NaN.
  @inlinable @inline(__always)
  package func limited(above limit: Float) -> Vector { replacing(with: limit, where: self .> limit) }

  /// The maximum of `self` and a limit in each lane; NaN stays NaN.
  @inlinable @inline(__always)
  package func limited(below limit: Float) -> Vector { replacing(with: limit, where: self .< limit) }

  /// self + factor·vector, rounded once.
  @inlinable @inline(__always)
  package func adding(_ factor: Float, times vector: Vector) -> Vector {
    addingProduct(Vector(repeating: factor), vector)
  }

  /// The sum of the lanes in double precision.
  @inlinable @inline(__always)
  package var doubleSum: Double {
    var sum = 0.0
    for lane in 0..<vectorWidth { sum += Double(self[lane]) }
    return sum
  }
}

/// Vectors of numbers that are the upper halves of floats.
extension Vector {
  /// The nearest numbers whose lower 16 bits are zero, ties to even; NaN stays NaN.
  @inlinable @inline(__always)
  package var roundedToUpperHalves: Vector { ddpm_round_to_upper_halves(self) }

  @inlinable @inline(__always)
  package var upperHalves: SIMD16<UInt16> { ddpm_upper_halves(self) }

  @inlinable @inline(__always)
  package init(upperHalves halves: SIMD16<UInt16>) { self = ddpm_from_upper_halves(halves) }
}

/// Calls `body` with the first index and the number of elements of each vector in a range; the number is 16, a constant
/// for the compiler, except in the last call if fewer are left.
///
/// Pass a local function marked `@inline(__always)`: a closure would not be inlined, since it is called in two places.
@inlinable @inline(__always)
package func forEachVector(_ range: Range<Int>, _ body: (_ first: Int, _ lanes: Int) -> Void) {
  var first = range.lowerBound
  while first + vectorWidth <= range.upperBound {
    body(first, vectorWidth)
    first += vectorWidth
  }
  if first < range.upperBound { body(first, range.upperBound - first) }
}

@inlinable @inline(__always)
package func forEachVector(_ count: Int, _ body: (_ first: Int, _ lanes: Int) -> Void) {
  forEachVector(0..<count, body)
}

/// The smallest multiple of a number that is at least `count`.
@inlinable @inline(__always)
package func roundUp(_ count: Int, _ multiple: Int) -> Int { (count + multiple - 1) / multiple * multiple }
