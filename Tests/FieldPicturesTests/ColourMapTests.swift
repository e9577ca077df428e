import FieldPictures
import Foundation
import Testing

struct ColourMapTests {
  private static let positions = (0...1000).map { Double($0) / 1000 }

  /// A channel is at most half a byte off, which is 0.002 of lightness; not all channels are off in one direction.
  private static let roundedLightness = 0.004

  @Test func lightnessOfTheSequentialMapRisesLinearly() {
    let lightness = Self.positions.map { OKLabColour(ColourMap.sequential.colour(at: $0)).lightness }
    #expect(lightness.first! < 0.3 && lightness.last! > 0.9)
    for (position, value) in zip(Self.positions, lightness) {
      let line = lightness.first! + (lightness.last! - lightness.first!) * position
      #expect(abs(value - line) < Self.roundedLightness, "position \(position)")
    }
    // Smaller differences than these may be lost in a byte.
    for (first, second) in zip(lightness, lightness.dropFirst(10)) { #expect(second > first) }
  }

  @Test func lightnessOfTheDivergingMapFallsLinearlyToEqualEnds() {
    let lightness = Self.positions.map { OKLabColour(ColourMap.diverging.colour(at: $0)).lightness }
    let (end, middle) = (lightness[0], lightness[500])
    #expect(middle > 0.95 && end < 0.5)
    for (position, value) in zip(Self.positions, lightness) {
      #expect(abs(value - (middle + (end - middle) * abs(2 * position - 1))) < Self.roundedLightness)
      let mirrored = OKLabColour(ColourMap.diverging.colour(at: 1 - position)).lightness
      #expect(abs(value - mirrored) < 2 * Self.roundedLightness)
    }
  }

  @Test func endsOfTheDivergingMapAreEquallyFarFromGreyAndOpposite() {
    let (low, high) = (
      OKLabColour(ColourMap.diverging.colour(at: 0)), OKLabColour(ColourMap.diverging.colour(at: 1))
    )
    #expect(abs(low.chroma - high.chroma) < Self.roundedLightness)
    #expect(low.b < 0 && high.a > 0, "blue and red")
    #expect(OKLabColour(ColourMap.diverging.colour(at: 0.5)).chroma < 1e-3)
  }

  /// A colour out of gamut would be clipped, and its distance to its neighbours would differ from the others'.
  @Test(arguments: ColourMap.allCases) func mapsHaveConstantSpeedSoNoColourIsClipped(map: ColourMap) {
    let steps = 20
    let colours = (0...steps).map { OKLabColour(map.colour(at: Double($0) / Double(steps))) }
    let distances = zip(colours, colours.dropFirst()).map { $0.distance(to: $1) }
    let mean = distances.reduce(0, +) / Double(steps)
    for distance in distances { #expect(abs(distance - mean) < 0.06 * mean) }
  }

  @Test(arguments: ColourMap.allCases) func positionsOutsideHaveTheEndsColours(map: ColourMap) {
    for position in [-1, -Double.infinity, .nan, -0.0] { #expect(map.colour(at: position) == map.colour(at: 0)) }
    for position in [2, Double.infinity] { #expect(map.colour(at: position) == map.colour(at: 1)) }
  }

  @Test func missingValuesLookLikeNoOther() {
    let missing = OKLabColour(ColourScale.missing)
    for map in ColourMap.allCases {
      for position in Self.positions {
        #expect(OKLabColour(map.colour(at: position)).distance(to: missing) > 0.08)
      }
    }
  }

  @Test func scalesAreDivergingOnlyIfBothSignsAreSimilar() {
    #expect(ColourScale(spanning: -3...4) == ColourScale(-4...4))
    #expect(ColourScale(spanning: -3...4).map == .diverging)
    #expect(ColourScale(spanning: -4...2).range == -4...4)
    for range in [-4...1.9, 1...2, -2 ... -1, 0...1, -1...0, 0...0] as [ClosedRange<Double>] {
      #expect(ColourScale(spanning: range).map == .sequential)
      #expect(ColourScale(spanning: range).range == range)
    }
    #expect(ColourScale(-3...4).map == .sequential)
    #expect(ColourScale(spanning: nil).range == nil)
  }

  @Test func valuesGetTheColoursOfTheirPositions() {
    let scale = ColourScale(10...30)
    #expect(scale.colour(of: 10) == ColourMap.sequential.colour(at: 0))
    #expect(scale.colour(of: 15) == ColourMap.sequential.colour(at: 0.25))
    #expect(scale.colour(of: 31) == ColourMap.sequential.colour(at: 1))
    #expect(scale.middle == 20)
    #expect(ColourScale(-2...2).colour(of: 0) == ColourMap.diverging.colour(at: 0.5))
    for value in [Float.nan, .infinity, -.infinity] { #expect(scale.colour(of: value) == ColourScale.missing) }
    #expect(ColourScale(spanning: nil).colour(of: 1) == ColourScale.missing)
    #expect(ColourScale(spanning: nil).barColour(at: 1) == ColourScale.missing)
  }

  @Test func extremeRangesHaveColours() {
    let constant = ColourScale(5...5)
    #expect(constant.colour(of: 5) == ColourMap.sequential.colour(at: 0.5))
    #expect(constant.barColour(at: 1) == ColourMap.sequential.colour(at: 0.5))
    #expect(constant.colour(of: 6) == ColourMap.sequential.colour(at: 1))
    let large = Double.greatestFiniteMagnitude
    #expect(ColourScale(-large...large).colour(of: 0) == ColourMap.diverging.colour(at: 0.5))
    #expect(ColourScale(0...Double.leastNonzeroMagnitude).colour(of: 0) == ColourMap.sequential.colour(at: 0.5))
    #expect(ColourScale(0...large).middle == large / 2)
  }
}

/// A colour in OKLab by the formulas in the direction in which its author defines it, from sRGB.
private struct OKLabColour {
  let lightness: Double
  let a: Double
  let b: Double

  init(_ colour: Colour) {
    let light = [colour.red, colour.green, colour.blue].map { byte in
      let value = Double(byte) / 255
      return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
    let l = cbrt(0.4122214708 * light[0] + 0.5363325363 * light[1] + 0.0514459929 * light[2])
    let m = cbrt(0.2119034982 * light[0] + 0.6806995451 * light[1] + 0.1073969566 * light[2])
    let s = cbrt(0.0883024619 * light[0] + 0.2817188376 * light[1] + 0.6299787005 * light[2])
    lightness = 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s
    a = 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s
    b = 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s
  }

  var chroma: Double { hypot(a, b) }

  func distance(to other: OKLabColour) -> Double { hypot(hypot(lightness - other.lightness, a - other.a), b - other.b) }
}
