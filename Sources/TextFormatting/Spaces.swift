extension StringProtocol {
  /// The text without whitespace at its beginning and end, newlines included.
  package var trimmed: String { trimmed(\.isWhitespace) }

  /// The text without blanks at its beginning and end; a newline is none.
  package var trimmedOfBlanks: String { trimmed { $0.isWhitespace && !$0.isNewline } }

  private func trimmed(_ isDropped: (Character) -> Bool) -> String {
    guard let first = firstIndex(where: { !isDropped($0) }), let last = lastIndex(where: { !isDropped($0) }) else {
      return ""
    }
    return String(self[first...last])
  }

  /// The text with spaces at its end, or only its beginning, so that it has `length` characters.
  package func padded(to length: Int) -> String {
    String(prefix(length)) + String(repeating: " ", count: Swift.max(0, length - count))
  }
}
