/// The colours for the values of a variable: a map and the values at its ends.
package struct ColourScale: Sendable, Equatable {
  package let map: ColourMap
  /// nil if there are no finite values.
  package let range: ClosedRange<Double>?

  /// The colour of values that are not finite.
  package static let missing = Colour(grey: 128)

  /// The scale of no values.
  private static let empty = ColourScale(map: .sequential, range: nil)

  private init(map: ColourMap, range: ClosedRange<Double>?) {
    self.map = map
    self.range = range
  }

  /// A scale of exactly this range; diverging if zero is in its middle.
  /// - Parameter range: of finite numbers.
  package init(_ range: ClosedRange<Double>) {
    precondition(range.lowerBound.isFinite && range.upperBound.isFinite, "a scale needs finite ends")
    let isSymmetric = range.lowerBound < 0 && range.lowerBound == -range.upperBound
    self.init(map: isSymmetric ? .diverging : .sequential, range: range)
  }

  /// A scale for values between two extremes. If both signs are of similar size, the smaller being at least half of the
  /// larger, the scale is diverging and symmetric about zero.
  /// - Parameter extremes: of finite numbers; nil if there are none.
  package init(spanning extremes: ClosedRange<Double>?) {
    guard let extremes else {
      self = .empty
      return
    }
    let (negative, positive) = (-extremes.lowerBound, extremes.upperBound)
    let larger = max(negative, positive)
    let isTwoSided = min(negative, positive) > 0 && min(negative, positive) >= larger / 2
    self.init(isTwoSided ? -larger...larger : extremes)
  }

  /// The value in the middle of the scale: zero if it is diverging.
  package var middle: Double? { range.map { $0.lowerBound / 2 + $0.upperBound / 2 } }

  /// The colour of a value. A value beyond an end has the end's colour, and all values of an empty range the middle's.
  package func colour(of value: Float) -> Colour {
    guard let range, value.isFinite else { return Self.missing }
    // Halves, so that no difference overflows.
    let extent = range.upperBound / 2 - range.lowerBound / 2
    guard extent > 0 else {
      let value = Double(value)
      return map.colour(at: value < range.lowerBound ? 0 : value > range.upperBound ? 1 : 0.5)
    }
    return map.colour(at: (Double(value) / 2 - range.lowerBound / 2) / extent)
  }

  /// The colour at a position of the colour bar, in [0, 1].
  package func barColour(at position: Double) -> Colour {
    guard let range else { return Self.missing }
    return map.colour(at: range.lowerBound < range.upperBound ? position : 0.5)
  }
}
