extension String {
  /// The text as a terminal can show it: control characters, by which a name or a text from a file could move the cursor
  /// or rewrite what stands there, become visible, such as `\u{1b}`. Line ends and tabs stay.
  public var printable: String {
    if !unicodeScalars.contains(where: \.isHidden) { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      if scalar.isHidden {
        text += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}

extension Unicode.Scalar {
  /// A control character, or one that turns the direction of writing.
  fileprivate var isHidden: Bool {
    switch value {
    case 0x09, 0x0a: false
    case 0x202a...0x202e, 0x2066...0x2069: true
    default: properties.generalCategory == .control
    }
  }
}
