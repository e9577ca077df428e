extension YAMLScanner {
  /// The line breaks within a text: a single one becomes a space, and of several the first is dropped.
  private struct Breaks {
    private var first: String?
    private var others = ""

    var areNone: Bool { first == nil }

    mutating func append(_ text: String) {
      if first == nil { first = text } else { others += text }
    }

    var folded: String {
      guard let first else { return "" }
      return first != "\n" ? first + others : others.isEmpty ? " " : others
    }
  }

  /// A text without quotes, which may continue on further lines.
  mutating func plainScalar() throws(YAMLError) -> Token {
    var text = ""
    var breaks = Breaks()
    var blanks = ""
    while documentMarker == nil, peek(0) != "#" {
      while !isBlankOrEnd(0) {
        if isInFlow, peek(0) == ":", let after = peek(1), ",?[]{}".unicodeScalars.contains(after) {
          throw error("found unexpected ':'")
        }
        if peek(0) == ":" && isBlankOrEnd(1) { break }
        if isInFlow, let character = peek(0), ",[]{}".unicodeScalars.contains(character) { break }
        text += breaks.areNone ? blanks : breaks.folded
        breaks = Breaks()
        blanks = ""
        text.unicodeScalars.append(next())
      }
      guard isBlank(0) || isBreak(0) else { break }
      while isBlank(0) || isBreak(0) {
        if isBreak(0) {
          blanks = ""
          breaks.append(skipLine())
        } else if breaks.areNone {
          blanks.unicodeScalars.append(next())
        } else {
          if column <= indent && peek(0) == "\t" { throw error("found a tab character that violates indentation") }
          skip()
        }
      }
      if !isInFlow && column <= indent { break }
    }
    if !breaks.areNone { mayStartKey = true }
    return .scalar(text, isPlain: true)
  }

  /// A text in single or double quotes.
  mutating func quotedScalar(_ quote: Unicode.Scalar) throws(YAMLError) -> Token {
    var text = ""
    skip()
    while true {
      if documentMarker != nil { throw error("found unexpected document indicator") }
      if peek(0) == nil { throw error("found unexpected end of stream") }
      // A line break after a backslash is none, and the blanks after it are dropped.
      var isContinued = false
      while !isBlankOrEnd(0) {
        if peek(0) == quote {
          guard quote == "'", peek(1) == "'" else { break }
          skip()
          text.unicodeScalars.append(next())
        } else if quote == "\"", peek(0) == "\\" {
          if isBreak(1) {
            skip()
            skipLine()
            isContinued = true
            break
          }
          text += try escape()
        } else {
          text.unicodeScalars.append(next())
        }
      }
      if !isBlankOrEnd(0), !isContinued, peek(0) == quote { break }
      if isContinued, peek(0) == quote { break }
      var breaks = Breaks()
      var blanks = ""
      var others = ""
      while isBlank(0) || isBreak(0) {
        if isBreak(0) {
          blanks = ""
          if isContinued { others += skipLine() } else { breaks.append(skipLine()) }
        } else if breaks.areNone && !isContinued {
          blanks.unicodeScalars.append(next())
        } else {
          skip()
        }
      }
      text += isContinued ? others : breaks.areNone ? blanks : breaks.folded
    }
    skip()
    return .scalar(text, isPlain: false)
  }

  /// The character that a backslash and what follows it stand for.
  private mutating func escape() throws(YAMLError) -> String {
    let characters: [Unicode.Scalar: String] = [
      "0": "\0", "a": "\u{7}", "b": "\u{8}", "t": "\t", "\t": "\t", "n": "\n", "v": "\u{B}", "f": "\u{C}", "r": "\r",
      "e": "\u{1B}", " ": " ", "\"": "\"", "/": "/", "\\": "\\", "N": "\u{85}", "_": "\u{A0}", "L": "\u{2028}",
      "P": "\u{2029}",
    ]
    let digitCounts: [Unicode.Scalar: Int] = ["x": 2, "u": 4, "U": 8]
    guard let letter = peek(1) else { throw error("found unknown escape character") }
    if let character = characters[letter] {
      skip()
      skip()
      return character
    }
    guard let count = digitCounts[letter] else { throw error("found unknown escape character") }
    skip()
    skip()
    var value: UInt32 = 0
    for index in 0..<count {
      guard let digit = peek(index).flatMap({ Character($0).hexDigitValue }), peek(index)?.isASCII == true else {
        throw error("did not find expected hexdecimal number")
      }
      value = value << 4 + UInt32(digit)
    }
    guard let scalar = Unicode.Scalar(value) else { throw error("found invalid Unicode character escape code") }
    for _ in 0..<count { skip() }
    return String(scalar)
  }

  /// A text in lines of its own after `|`, which keeps its line breaks, or `>`, which folds them.
  mutating func blockScalar(isLiteral: Bool) throws(YAMLError) -> Token {
    skip()
    var chomping: Unicode.Scalar?
    var increment: Int?
    for _ in 0..<2 {
      if chomping == nil, let character = peek(0), character == "+" || character == "-" {
        chomping = next()
      } else if increment == nil, let digit = peek(0).flatMap({ Int(String($0)) }) {
        if digit == 0 { throw error("found an indentation indicator equal to 0") }
        increment = digit
        skip()
      }
    }
    while isBlank(0) { skip() }
    if peek(0) == "#" { while !isBreakOrEnd(0) { skip() } }
    guard isBreakOrEnd(0) else { throw error("did not find expected comment or line break") }
    skipLine()

    var width = increment.map { max(indent, 0) + $0 }
    var text = ""
    var leadingBreak = ""
    var trailingBreaks = try emptyLines(&width)
    var startedWithBlank = false
    while column == width, peek(0) != nil {
      let startsWithBlank = isBlank(0)
      if !isLiteral && leadingBreak == "\n" && !startedWithBlank && !startsWithBlank {
        if trailingBreaks.isEmpty { text += " " }
      } else {
        text += leadingBreak
      }
      text += trailingBreaks
      startedWithBlank = startsWithBlank
      while !isBreakOrEnd(0) { text.unicodeScalars.append(next()) }
      leadingBreak = skipLine()
      trailingBreaks = try emptyLines(&width)
    }
    if chomping != "-" { text += leadingBreak }
    if chomping == "+" { text += trailingBreaks }
    return .scalar(text, isPlain: false)
  }

  /// Skips empty lines and the indentation after them, whose width is that of the first line if it is not known.
  /// - Returns: the line breaks.
  private mutating func emptyLines(_ width: inout Int?) throws(YAMLError) -> String {
    var breaks = ""
    var widest = 0
    while true {
      while column < width ?? .max, peek(0) == " " { skip() }
      widest = max(widest, column)
      if column < width ?? .max, peek(0) == "\t" {
        throw error("found a tab character where an indentation space is expected")
      }
      guard isBreak(0) else { break }
      breaks += skipLine()
    }
    if width == nil { width = max(widest, indent + 1, 1) }
    return breaks
  }
}
