import TestSupport

/// The words of a command, split at the spaces of a literal. An interpolated string is one word, and interpolated
/// `Words` stay separate words.
struct Words: ExpressibleByStringInterpolation, Sendable, CustomStringConvertible {
  let list: [String]

  init(_ list: [String]) { self.list = list }
  init(stringLiteral text: String) { list = text.split(whereSeparator: \.isWhitespace).map(String.init) }
  init(stringInterpolation: StringInterpolation) { list = stringInterpolation.allWords }

  var description: String { list.joined(separator: " ") }

  struct StringInterpolation: StringInterpolationProtocol {
    private var finished: [String] = []
    private var current: String?

    init(literalCapacity: Int, interpolationCount: Int) {}

    var allWords: [String] { finished + (current.map { [$0] } ?? []) }

    mutating func appendLiteral(_ literal: String) {
      for character in literal {
        if character.isWhitespace { finish() } else { current = (current ?? "") + String(character) }
      }
    }

    mutating func appendInterpolation(_ text: some CustomStringConvertible) {
      current = (current ?? "") + text.description
    }

    mutating func appendInterpolation(_ folder: TemporaryFolder) { appendInterpolation(folder.path) }

    mutating func appendInterpolation(_ words: Words) {
      finish()
      finished += words.list
    }

    private mutating func finish() {
      if let word = current { finished.append(word) }
      current = nil
    }
  }
}
