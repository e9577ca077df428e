import MicroKernels

/// Elementary functions of sixteen floats at a time.

/// eˣ within 2 units in the last place for −87.3 ≤ x ≤ 88.3.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2; eʳ by its Taylor polynomial of degree 7, whose remainder is below 6e-9 there;
/// 2ⁿ is assembled from its exponent bits. Outside the range the result saturates at e^−87.3 (the smallest normal number
/// is just below it) and e^88.3, so it is never zero, subnormal or infinite; NaN stays NaN.
@inline(__always)
package func exponential(_ x: Vector) -> Vector {
  let x = x.limited(below: -87.3).limited(above: 88.3)
  // Adding 1.5·2²³ leaves the nearest integer in the low bits of the sum.
  let shifter = Vector(repeating: 0x1.8p23)
  let shifted = shifter.addingProduct(x, Vector(repeating: 1.442_695_04))
  let n = shifted - shifter
  // ln 2 in two parts, the first short enough for n·part to be exact.
  let r = x.addingProduct(n, Vector(repeating: -0.693_359_375)).addingProduct(n, Vector(repeating: 2.121_944_4e-4))
  var sum = Vector(repeating: 1 / 5040)
  sum = Vector(repeating: 1 / 720).addingProduct(sum, r)
  sum = Vector(repeating: 1 / 120).addingProduct(sum, r)
  sum = Vector(repeating: 1 / 24).addingProduct(sum, r)
  sum = Vector(repeating: 1 / 6).addingProduct(sum, r)
  sum = Vector(repeating: 1 / 2).addingProduct(sum, r)
  sum = Vector(repeating: 1).addingProduct(sum, r)
  sum = Vector(repeating: 1).addingProduct(sum, r)
  let exponent = (unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &+ 127) &<< 23
  return sum * unsafeBitCast(exponent, to: Vector.self)
}

/// 1 / (1 + e⁻ˣ); between 0 and 1 for every x but NaN.
@inline(__always)
package func sigmoid(_ x: Vector) -> Vector {
  1 / (1 + exponential(-x))
}

@inline(__always)
func silu(_ x: Vector) -> Vector { x * sigmoid(x) }

/// The derivative of x·sigmoid(x): s·(1 + x·(1 − s)) with s = sigmoid(x).
@inline(__always)
func siluSlope(_ x: Vector) -> Vector {
  let gate = sigmoid(x)
  return gate.addingProduct(gate, x.addingProduct(-x, gate))
}
