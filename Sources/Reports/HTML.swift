/// Text that is valid HTML.
struct HTML: ExpressibleByStringInterpolation, CustomStringConvertible {
  private(set) var description: String

  init(stringLiteral value: String) { description = value }
  init(stringInterpolation: Interpolation) { description = stringInterpolation.text }

  static func joined(_ parts: some Sequence<HTML>, separator: HTML = "") -> HTML {
    HTML(stringLiteral: parts.map(\.description).joined(separator: separator.description))
  }

  /// Interpolated values are escaped, unless they are `HTML` themselves.
  struct Interpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(2 * literalCapacity) }

    mutating func appendLiteral(_ literal: String) { text += literal }
    mutating func appendInterpolation(_ html: HTML) { text += html.description }
    mutating func appendInterpolation(_ value: Int) { text += String(value) }

    /// Escapes text for an element or a quoted attribute.
    mutating func appendInterpolation(_ value: some StringProtocol) {
      for character in value.unicodeScalars {
        switch character {
        case "&": text += "&amp;"
        case "<": text += "&lt;"
        case ">": text += "&gt;"
        case "\"": text += "&quot;"
        case "'": text += "&#39;"
        default: text.unicodeScalars.append(character)
        }
      }
    }

    /// Inserts text without escaping, such as our script.
    mutating func appendInterpolation(verbatim value: String) { text += value }
  }
}
