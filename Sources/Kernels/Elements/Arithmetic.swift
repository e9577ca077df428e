/// The format of the values that a network's operations pass on to one another.
package enum Precision: String, CaseIterable, Sendable {
  case float32
  /// Rounded to `BFloat16`. Arithmetic remains in single precision.
  case bfloat16
}

/// How the operations of a network compute. It affects the bits of every result.
package struct Arithmetic: Sendable, Equatable {
  package var convolutionMethod: ConvolutionMethod
  package var precision: Precision

  package init(convolutionMethod: ConvolutionMethod = .winograd, precision: Precision = .float32) {
    self.convolutionMethod = convolutionMethod
    self.precision = precision
  }
}
