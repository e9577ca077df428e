import MicroKernels

/// The activation after a normalisation's affine map, computed in the same pass over memory.
package enum Activation: Sendable {
  case identity
  /// u·sigmoid(u) (Hendrycks and Gimpel, arXiv:1606.08415; "swish").
  case silu
}

/// An activation as a type, so that loops are specialised for each.
protocol ActivationFunction {
  static func value(_ u: Vector) -> Vector
  /// gradient · the derivative at u.
  static func propagate(_ gradient: Vector, _ u: Vector) -> Vector
}

enum IdentityFunction: ActivationFunction {
  @inline(__always) static func value(_ u: Vector) -> Vector { u }
  @inline(__always) static func propagate(_ gradient: Vector, _ u: Vector) -> Vector { gradient }
}

enum SiLUFunction: ActivationFunction {
  @inline(__always) static func value(_ u: Vector) -> Vector { silu(u) }
  @inline(__always) static func propagate(_ gradient: Vector, _ u: Vector) -> Vector { gradient * siluSlope(u) }
}
