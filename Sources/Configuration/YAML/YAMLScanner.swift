/// Divides a text in YAML 1.1 into its tokens, one line ahead of the parser: whether a text is a key is known at the
/// colon after it, which must be on the same line.
struct YAMLScanner {
  enum Token: Equatable {
    case streamEnd, directive, documentStart, documentEnd
    case blockSequenceStart, blockMappingStart, blockEnd
    case flowSequenceStart, flowSequenceEnd, flowMappingStart, flowMappingEnd
    case blockEntry, flowEntry, key, value
    case alias, anchor, tag
    case scalar(String, isPlain: Bool)
  }

  /// What may turn out to be a key when a colon follows.
  private struct PossibleKey {
    let isRequired: Bool
    /// The number of its first token, counted from the start of the text.
    let token: Int
    let position: Int
    let line: Int
    let column: Int
  }

  /// A key has at most so many characters.
  private static let maximumKeyLength = 1024

  private let text: [Unicode.Scalar]
  private(set) var position = 0
  /// Counted from 0.
  private(set) var line = 0
  private(set) var column = 0

  private var tokens: [(token: Token, line: Int)] = []
  private var takenCount = 0
  /// The column of the innermost block collection; -1 outside of all.
  private(set) var indent = -1
  private var outerIndents: [Int] = []
  /// One for each level of brackets and braces.
  private var possibleKeys: [PossibleKey?] = [nil]
  var mayStartKey = true

  /// - Throws: for characters that YAML forbids.
  init(_ yaml: String) throws(YAMLError) {
    text = Array(yaml.unicodeScalars)
    var line = 0
    for scalar in text {
      if scalar == "\n" { line += 1 }
      switch scalar {
      case "\t", "\n", "\r", " "..."~", "\u{85}", "\u{A0}"..."\u{D7FF}", "\u{E000}"..."\u{FFFD}",
        "\u{10000}"..."\u{10FFFF}":
        break
      default: throw YAMLError(problem: "control characters are not allowed", line: line + 1)
      }
    }
  }

  // MARK: Tokens

  /// The next token and its line, counted from 1.
  mutating func peek() throws(YAMLError) -> (token: Token, line: Int) {
    while try needsMoreTokens() { try fetchToken() }
    return tokens[0]
  }

  mutating func take() throws(YAMLError) -> (token: Token, line: Int) {
    let next = try peek()
    tokens.removeFirst()
    takenCount += 1
    return next
  }

  private mutating func needsMoreTokens() throws(YAMLError) -> Bool {
    if tokens.isEmpty { return true }
    try dropImpossibleKeys()
    return possibleKeys.contains { $0?.token == takenCount }
  }

  private mutating func fetchToken() throws(YAMLError) {
    skipToNextToken()
    try dropImpossibleKeys()
    endBlocks(beyond: column)
    guard let character = peek(0) else { return try fetchEnd() }
    if column == 0 && character == "%" { return try fetchDirective() }
    if let marker = documentMarker { return try fetchDocumentMarker(marker) }
    let isAlone = isBlankOrEnd(1)
    switch character {
    case "[": try startFlow(.flowSequenceStart)
    case "{": try startFlow(.flowMappingStart)
    case "]": try endFlow(.flowSequenceEnd)
    case "}": try endFlow(.flowMappingEnd)
    case ",":
      try dropPossibleKey()
      mayStartKey = true
      fetchCharacter(.flowEntry)
    case "-" where isAlone: try fetchIndicator(.blockEntry, starting: .blockSequenceStart)
    case "?" where isInFlow || isAlone: try fetchIndicator(.key, starting: .blockMappingStart)
    case ":" where isInFlow || isAlone: try fetchValue()
    case "*", "&": try fetchName(character == "*" ? .alias : .anchor)
    case "!": try fetchTag()
    case "|" where !isInFlow, ">" where !isInFlow:
      try dropPossibleKey()
      mayStartKey = true
      try append(atLine: line) { scanner throws(YAMLError) in try scanner.blockScalar(isLiteral: character == "|") }
    case "'", "\"":
      try notePossibleKey()
      mayStartKey = false
      try append(atLine: line) { scanner throws(YAMLError) in try scanner.quotedScalar(character) }
    case "\t", "#", "@", "`", "%", "|", ">": throw error("found character that cannot start any token")
    case "?" where isInFlow, ":" where isInFlow: throw error("found character that cannot start any token")
    default:
      try notePossibleKey()
      mayStartKey = false
      try append(atLine: line) { scanner throws(YAMLError) in try scanner.plainScalar() }
    }
  }

  private mutating func append(
    atLine line: Int, _ scan: (inout YAMLScanner) throws(YAMLError) -> Token
  ) throws(YAMLError) {
    tokens.append((try scan(&self), line + 1))
  }

  /// A token of one character.
  private mutating func fetchCharacter(_ token: Token) {
    tokens.append((token, line + 1))
    skip()
  }

  private mutating func fetchEnd() throws(YAMLError) {
    if column != 0 {
      column = 0
      line += 1
    }
    endBlocks(beyond: -1)
    try dropPossibleKey()
    mayStartKey = false
    tokens.append((.streamEnd, line + 1))
  }

  private mutating func fetchDirective() throws(YAMLError) {
    endBlocks(beyond: -1)
    try dropPossibleKey()
    mayStartKey = false
    let start = line
    skip()
    var name = ""
    while let character = peek(0), isPartOfName(character) { name.unicodeScalars.append(next()) }
    guard !name.isEmpty else { throw error("could not find expected directive name") }
    guard isBlankOrEnd(0) else { throw error("found unexpected non-alphabetical character") }
    guard name == "YAML" || name == "TAG" else { throw error("found unknown directive name") }
    while !isBreakOrEnd(0) { skip() }
    tokens.append((.directive, start + 1))
  }

  private mutating func fetchDocumentMarker(_ marker: Token) throws(YAMLError) {
    endBlocks(beyond: -1)
    try dropPossibleKey()
    mayStartKey = false
    tokens.append((marker, line + 1))
    for _ in 0..<3 { skip() }
  }

  private mutating func startFlow(_ token: Token) throws(YAMLError) {
    try notePossibleKey()
    possibleKeys.append(nil)
    mayStartKey = true
    fetchCharacter(token)
  }

  private mutating func endFlow(_ token: Token) throws(YAMLError) {
    try dropPossibleKey()
    if isInFlow { possibleKeys.removeLast() }
    mayStartKey = false
    fetchCharacter(token)
  }

  /// `-` or `?`, which start a block if they are further to the right than the one around them.
  private mutating func fetchIndicator(_ token: Token, starting block: Token) throws(YAMLError) {
    if !isInFlow {
      guard mayStartKey else {
        let kind = token == .blockEntry ? "block sequence entries" : "mapping keys"
        throw error("\(kind) are not allowed in this context")
      }
      startBlock(block, column: column, line: line, at: nil)
    }
    try dropPossibleKey()
    mayStartKey = token == .blockEntry || !isInFlow
    fetchCharacter(token)
  }

  private mutating func fetchValue() throws(YAMLError) {
    if let key = possibleKeys[possibleKeys.count - 1] {
      tokens.insert((.key, key.line + 1), at: key.token - takenCount)
      startBlock(.blockMappingStart, column: key.column, line: key.line, at: key.token - takenCount)
      possibleKeys[possibleKeys.count - 1] = nil
      mayStartKey = false
    } else {
      if !isInFlow {
        guard mayStartKey else { throw error("mapping values are not allowed in this context") }
        startBlock(.blockMappingStart, column: column, line: line, at: nil)
      }
      mayStartKey = !isInFlow
    }
    fetchCharacter(.value)
  }

  private mutating func fetchName(_ token: Token) throws(YAMLError) {
    try notePossibleKey()
    mayStartKey = false
    let start = (line, position)
    skip()
    while let character = peek(0), isPartOfName(character) { skip() }
    let ends: [Unicode.Scalar] = ["?", ":", ",", "]", "}", "%", "@", "`"]
    guard position > start.1 + 1, isBlankOrEnd(0) || peek(0).map(ends.contains) ?? true else {
      throw error("did not find expected alphabetic or numeric character")
    }
    tokens.append((token, start.0 + 1))
  }

  /// Types of values follow from the keys; tags are skipped.
  private mutating func fetchTag() throws(YAMLError) {
    try notePossibleKey()
    mayStartKey = false
    tokens.append((.tag, line + 1))
    while !isBlankOrEnd(0), !(isInFlow && peek(0) == ",") { skip() }
  }

  // MARK: Blocks and keys

  var isInFlow: Bool { possibleKeys.count > 1 }

  private mutating func startBlock(_ token: Token, column: Int, line: Int, at index: Int?) {
    guard !isInFlow, indent < column else { return }
    outerIndents.append(indent)
    indent = column
    tokens.insert((token, line + 1), at: index ?? tokens.count)
  }

  private mutating func endBlocks(beyond column: Int) {
    guard !isInFlow else { return }
    while indent > column {
      tokens.append((.blockEnd, line + 1))
      indent = outerIndents.removeLast()
    }
  }

  private mutating func notePossibleKey() throws(YAMLError) {
    guard mayStartKey else { return }
    try dropPossibleKey()
    possibleKeys[possibleKeys.count - 1] = PossibleKey(
      isRequired: !isInFlow && indent == column, token: takenCount + tokens.count, position: position, line: line,
      column: column)
  }

  private mutating func dropPossibleKey() throws(YAMLError) {
    if possibleKeys[possibleKeys.count - 1]?.isRequired == true { throw error("could not find expected ':'") }
    possibleKeys[possibleKeys.count - 1] = nil
  }

  /// Keys end on their line.
  private mutating func dropImpossibleKeys() throws(YAMLError) {
    for (level, key) in possibleKeys.enumerated() {
      guard let key, key.line < line || key.position + Self.maximumKeyLength < position else { continue }
      if key.isRequired { throw error("could not find expected ':'") }
      possibleKeys[level] = nil
    }
  }

  // MARK: Characters

  func error(_ problem: String) -> YAMLError { YAMLError(problem: problem, line: line + 1) }

  /// Spaces, comments and line breaks. A tab may not indent a key.
  private mutating func skipToNextToken() {
    while true {
      // A byte order mark.
      if column == 0 && peek(0) == "\u{FEFF}" { skip() }
      while peek(0) == " " || (peek(0) == "\t" && (isInFlow || !mayStartKey)) { skip() }
      if peek(0) == "#" { while !isBreakOrEnd(0) { skip() } }
      guard isBreak(0) else { return }
      skipLine()
      if !isInFlow { mayStartKey = true }
    }
  }

  func peek(_ offset: Int) -> Unicode.Scalar? {
    position + offset < text.count ? text[position + offset] : nil
  }

  func isBreak(_ offset: Int) -> Bool {
    switch peek(offset) {
    case "\r", "\n", "\u{85}", "\u{2028}", "\u{2029}": true
    default: false
    }
  }

  func isBlank(_ offset: Int) -> Bool { peek(offset) == " " || peek(offset) == "\t" }
  func isBreakOrEnd(_ offset: Int) -> Bool { isBreak(offset) || peek(offset) == nil }
  func isBlankOrEnd(_ offset: Int) -> Bool { isBlank(offset) || isBreakOrEnd(offset) }

  private func isPartOfName(_ character: Unicode.Scalar) -> Bool {
    switch character {
    case "0"..."9", "A"..."Z", "a"..."z", "-", "_": true
    default: false
    }
  }

  /// `---` or `...` at the start of a line.
  var documentMarker: Token? {
    guard column == 0, isBlankOrEnd(3), let mark = peek(0), mark == "-" || mark == ".", peek(1) == mark, peek(2) == mark
    else { return nil }
    return mark == "-" ? .documentStart : .documentEnd
  }

  /// Skips a character, which is no line break.
  mutating func skip() {
    position += 1
    column += 1
  }

  mutating func next() -> Unicode.Scalar {
    defer { skip() }
    return text[position]
  }

  /// Skips a line break, if there is one.
  /// - Returns: what it is in a text.
  @discardableResult
  mutating func skipLine() -> String {
    guard isBreak(0) else { return "" }
    let first = text[position]
    position += first == "\r" && peek(1) == "\n" ? 2 : 1
    column = 0
    line += 1
    return first == "\u{2028}" || first == "\u{2029}" ? String(first) : "\n"
  }
}
