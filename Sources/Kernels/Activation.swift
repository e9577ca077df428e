/// What follows a normalisation's affine map, inside the same pass over memory.
public enum Activation: Sendable {
  case identity
  /// u·sigmoid(u) (Hendrycks and Gimpel, arXiv:1606.08415; "swish").
  case silu
}
