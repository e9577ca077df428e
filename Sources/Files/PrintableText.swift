extension String {
  /// The text in a form that is safe to print: control characters, by which a name or a text from a file could move the
  /// cursor or overwrite the screen, become visible escapes such as `\u{1b}`. Line ends and tabs are kept.
  package var printable: String { withVisible(\.isHidden) { "\\u{\(String($0, radix: 16))}" } }

  /// The same on one line: line ends and tabs become escapes too.
  package var printableOnOneLine: String { withVisible(\.breaksLine) { "\\u{\(String($0, radix: 16))}" } }

  /// The same for JSON, where these characters occur only in strings: `\u001b`. The meaning is unchanged.
  package var printableJSON: String {
    withVisible(\.isHidden) {
      let digits = String($0, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
  }

  private func withVisible(_ isEscaped: (Unicode.Scalar) -> Bool, _ escape: (UInt32) -> String) -> String {
    if !unicodeScalars.contains(where: isEscaped) { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      if isEscaped(scalar) {
        text += escape(scalar.value)
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}

extension Unicode.Scalar {
  /// A control character, or one that changes the direction of writing. None is beyond U+FFFF.
  fileprivate var isHidden: Bool {
    switch value {
    case 0x09, 0x0a: false
    case 0x202a...0x202e, 0x2066...0x2069: true
    default: properties.generalCategory == .control
    }
  }

  /// Hidden, or the end of a line or a tab; two ends of lines are separators, not control characters.
  fileprivate var breaksLine: Bool {
    switch value {
    case 0x09, 0x0a, 0x2028, 0x2029: true
    default: isHidden
    }
  }
}
