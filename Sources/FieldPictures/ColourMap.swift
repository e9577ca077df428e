/// Colours for numbers from 0 to 1. Each map is a path through OKLab at constant speed, so equal differences of numbers
/// look equally large, and its lightness is linear, so it also reads without colour.
package enum ColourMap: Sendable, CaseIterable {
  /// From dark blue through red to light yellow: a helix, with lightness and hue linear and chroma constant.
  case sequential
  /// From blue through near-white to red: two straight lines, with ends of equal lightness and chroma.
  case diverging

  /// The colour at a position in [0, 1]; positions outside have the colour of the nearer end.
  package func colour(at position: Double) -> Colour {
    let colours = self == .sequential ? Self.sequentialColours : Self.divergingColours
    // In this order NaN becomes 0.
    let inside = position > 0 ? min(position, 1) : 0
    return colours[Int((inside * Double(Self.stepCount)).rounded())]
  }

  /// More than there are different bytes; even, so that the middle of the diverging map is one of its colours.
  private static let stepCount = 1024

  private static let sequentialColours = colours(of: .sequential)
  private static let divergingColours = colours(of: .diverging)

  private static func colours(of map: ColourMap) -> [Colour] {
    (0...stepCount).map { Colour(map.path(Double($0) / Double(stepCount))) }
  }

  /// The map before it is rounded to bytes. The numbers are chosen so that it uses most of the lightness that a screen
  /// has, and stays within its colours.
  private func path(_ position: Double) -> OKLab {
    switch self {
    case .sequential:
      return OKLab(lightness: 0.25 + 0.68 * position, chroma: 0.16, hue: 270 + 198 * position)
    case .diverging:
      let distance = abs(2 * position - 1)
      return OKLab(lightness: 0.96 - 0.54 * distance, chroma: 0.15 * distance, hue: position < 0.5 ? 260 : 28)
    }
  }
}
