import RealModule

/// A colour of sRGB in 8 bits per channel.
package struct Colour: Sendable, Equatable {
  package let red: UInt8
  package let green: UInt8
  package let blue: UInt8

  package init(red: UInt8, green: UInt8, blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  package init(grey: UInt8) { self.init(red: grey, green: grey, blue: grey) }

  /// The nearest colour to one of OKLab.
  init(_ colour: OKLab) {
    let light = colour.linearLight
    self.init(red: Self.encoded(light.x), green: Self.encoded(light.y), blue: Self.encoded(light.z))
  }

  /// IEC 61966-2-1: linear light in [0, 1] as a byte.
  private static func encoded(_ light: Double) -> UInt8 {
    let light = min(max(light, 0), 1)
    let value = light <= 0.0031308 ? 12.92 * light : 1.055 * Double.pow(light, 1 / 2.4) - 0.055
    return UInt8((255 * value).rounded())
  }
}

/// A colour in OKLab (Ottosson 2020, "A perceptual color space for image processing"), in which equal distances look
/// equally large.
struct OKLab {
  /// From 0, black, to 1, white.
  let lightness: Double
  let a: Double
  let b: Double

  /// - Parameters:
  ///   - chroma: the distance from grey.
  ///   - hue: in degrees.
  init(lightness: Double, chroma: Double, hue: Double) {
    self.lightness = lightness
    a = chroma * Double.cos(hue * .pi / 180)
    b = chroma * Double.sin(hue * .pi / 180)
  }

  /// Red, green and blue of sRGB in linear light, in [0, 1] for the colours that a screen can show: the inverse of the
  /// two matrices that define OKLab.
  var linearLight: SIMD3<Double> {
    let roots = SIMD3(
      lightness + 0.3963377774 * a + 0.2158037573 * b,
      lightness - 0.1055613458 * a - 0.0638541728 * b,
      lightness - 0.0894841775 * a - 1.2914855480 * b)
    let cones = roots * roots * roots
    return SIMD3(
      4.0767416621 * cones.x - 3.3077115913 * cones.y + 0.2309699292 * cones.z,
      -1.2684380046 * cones.x + 2.6097574011 * cones.y - 0.3413193965 * cones.z,
      -0.0041960863 * cones.x - 0.7034186147 * cones.y + 1.7076147010 * cones.z)
  }
}
