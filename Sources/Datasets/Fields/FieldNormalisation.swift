/// How the values of fields become numbers of about the magnitude that networks and processes are made for.
package enum FieldNormalisation: String, Codable, CaseIterable, Sendable {
  /// Each variable gets the mean 0 and the standard deviation 1.
  case standard
  /// Each variable's values go from −1 to 1, like those of images.
  case range
  /// They stay as they are.
  case none

  /// The scaling of a variable. A constant one, which only conditions may be, becomes 0 if it is scaled at all.
  package func scaling(of variable: FieldVariable) -> FieldScaling {
    let scaling: FieldScaling =
      switch self {
      case .standard: FieldScaling(offset: variable.mean, scale: variable.standardDeviation)
      case .range:
        FieldScaling(
          offset: (variable.minimum + variable.maximum) / 2, scale: (variable.maximum - variable.minimum) / 2)
      case .none: FieldScaling(offset: 0, scale: 1)
      }
    return variable.isConstant || scaling.scale == 0 ? FieldScaling(offset: scaling.offset, scale: 1) : scaling
  }
}

/// A linear map of a variable's values: normalised = (value − offset) / scale, computed in double precision.
package struct FieldScaling: Sendable, Equatable {
  package let offset: Double
  package let scale: Double

  package func normalised(_ value: Float) -> Float { Float((Double(value) - offset) / scale) }

  /// The inverse. The roundings of both together change a value by at most 2.5 units in the last place of value or offset,
  /// whichever is larger; by less than one if the value differs from the offset by less than half of that.
  package func value(_ normalised: Float) -> Float { Float(Double(normalised) * scale + offset) }
}
