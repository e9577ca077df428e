/// Reads YAML 1.1, except for aliases.
struct YAMLParser {
  static let maximumDepth = 100

  private var scanner: YAMLScanner
  private var depth = 0

  private init(scanner: YAMLScanner) { self.scanner = scanner }

  /// The root of a text; nil if there is nothing in it.
  /// - Throws: `YAMLError`, also for keys that occur twice and for several documents.
  static func root(of yaml: String) throws(YAMLError) -> YAMLNode? {
    var parser = YAMLParser(scanner: try YAMLScanner(yaml))
    return try parser.document()
  }

  private mutating func document() throws(YAMLError) -> YAMLNode? {
    var isExplicit = false
    while try scanner.peek().token == .directive {
      isExplicit = true
      _ = try scanner.take()
    }
    let first = try scanner.peek()
    if first.token == .streamEnd && !isExplicit { return nil }
    if first.token == .documentStart {
      _ = try scanner.take()
      isExplicit = true
    } else if isExplicit {
      throw YAMLError(problem: "did not find expected <document start>", line: first.line)
    }
    let (token, line) = try scanner.peek()
    let isEmpty = [.directive, .documentStart, .documentEnd, .streamEnd].contains(token) && isExplicit
    let root = isEmpty ? Self.empty(line) : try node(inBlock: true)
    var next = try scanner.peek()
    while next.token == .documentEnd {
      _ = try scanner.take()
      next = try scanner.peek()
    }
    switch next.token {
    case .streamEnd: return root
    case .documentStart: throw YAMLError(problem: "but found another document", line: next.line)
    default: throw YAMLError(problem: "did not find expected <document start>", line: next.line)
    }
  }

  private static func empty(_ line: Int) -> YAMLNode { YAMLNode(.scalar("", isPlain: true), line: line) }

  private mutating func skip() throws(YAMLError) { _ = try scanner.take() }

  /// - Parameter mayBeIndentless: whether the list of a key may have its dashes below the key.
  private mutating func node(inBlock isInBlock: Bool, mayBeIndentless: Bool = false) throws(YAMLError) -> YAMLNode {
    depth += 1
    defer { depth -= 1 }
    let start = try scanner.peek()
    guard depth <= Self.maximumDepth else { throw YAMLError(problem: "it is nested too deeply", line: start.line) }
    if start.token == .alias { throw YAMLError(problem: "found undefined alias", line: start.line) }
    var properties: [YAMLScanner.Token] = []
    while [.anchor, .tag].contains(try scanner.peek().token), !properties.contains(try scanner.peek().token) {
      properties.append(try scanner.take().token)
    }
    let (token, line) = try scanner.peek()
    switch token {
    case .blockEntry where mayBeIndentless:
      return YAMLNode(.list(try indentlessItems()), line: start.line)
    case .scalar(let text, let isPlain):
      try skip()
      return YAMLNode(.scalar(text, isPlain: isPlain), line: start.line)
    case .flowSequenceStart: return YAMLNode(.list(try flowItems()), line: start.line)
    case .flowMappingStart: return YAMLNode(.mapping(try flowPairs()), line: start.line)
    case .blockSequenceStart where isInBlock: return YAMLNode(.list(try blockItems()), line: start.line)
    case .blockMappingStart where isInBlock: return YAMLNode(.mapping(try blockPairs()), line: start.line)
    default:
      guard !properties.isEmpty else { throw YAMLError(problem: "did not find expected node content", line: line) }
      return Self.empty(start.line)
    }
  }

  /// The node after a mark, which is taken; an empty one before any of `ends`.
  private mutating func nodeInBlock(
    before ends: [YAMLScanner.Token], mayBeIndentless: Bool = false
  ) throws(YAMLError) -> YAMLNode {
    let mark = try scanner.take()
    guard try !ends.contains(scanner.peek().token) else { return Self.empty(mark.line) }
    return try node(inBlock: true, mayBeIndentless: mayBeIndentless)
  }

  private mutating func nodeInFlow(before ends: [YAMLScanner.Token]) throws(YAMLError) -> YAMLNode {
    let (token, line) = try scanner.peek()
    return ends.contains(token) ? Self.empty(line) : try node(inBlock: false)
  }

  private mutating func blockItems() throws(YAMLError) -> [YAMLNode] {
    try skip()
    var items: [YAMLNode] = []
    while try scanner.peek().token == .blockEntry {
      items.append(try nodeInBlock(before: [.blockEntry, .blockEnd]))
    }
    let (token, line) = try scanner.take()
    guard token == .blockEnd else { throw YAMLError(problem: "did not find expected '-' indicator", line: line) }
    return items
  }

  private mutating func indentlessItems() throws(YAMLError) -> [YAMLNode] {
    var items: [YAMLNode] = []
    while try scanner.peek().token == .blockEntry {
      items.append(try nodeInBlock(before: [.blockEntry, .key, .value, .blockEnd]))
    }
    return items
  }

  private mutating func blockPairs() throws(YAMLError) -> [YAMLNode.Pair] {
    try skip()
    let ends: [YAMLScanner.Token] = [.key, .value, .blockEnd]
    var pairs: [YAMLNode.Pair] = []
    while true {
      let (token, line) = try scanner.peek()
      if token == .blockEnd {
        try skip()
        return try Self.withoutDuplicates(pairs)
      }
      guard token == .key else { throw YAMLError(problem: "did not find expected key", line: line) }
      let key = try nodeInBlock(before: ends, mayBeIndentless: true)
      var value = Self.empty(try scanner.peek().line)
      if try scanner.peek().token == .value {
        value = try nodeInBlock(before: ends, mayBeIndentless: true)
      }
      pairs.append(YAMLNode.Pair(key: key, value: value))
    }
  }

  private mutating func flowItems() throws(YAMLError) -> [YAMLNode] {
    try skip()
    var items: [YAMLNode] = []
    while try scanner.peek().token != .flowSequenceEnd {
      if !items.isEmpty {
        try separator("did not find expected ',' or ']'")
        if try scanner.peek().token == .flowSequenceEnd { break }
      }
      let (token, line) = try scanner.peek()
      if token == .key {
        // A pair without braces.
        try skip()
        let pair = try flowPair(before: [.flowEntry, .flowSequenceEnd])
        items.append(YAMLNode(.mapping([pair]), line: line))
      } else {
        items.append(try node(inBlock: false))
      }
    }
    try skip()
    return items
  }

  private mutating func flowPairs() throws(YAMLError) -> [YAMLNode.Pair] {
    try skip()
    var pairs: [YAMLNode.Pair] = []
    while try scanner.peek().token != .flowMappingEnd {
      if !pairs.isEmpty {
        try separator("did not find expected ',' or '}'")
        if try scanner.peek().token == .flowMappingEnd { break }
      }
      if try scanner.peek().token == .key {
        try skip()
        pairs.append(try flowPair(before: [.flowEntry, .flowMappingEnd]))
      } else {
        let key = try node(inBlock: false)
        pairs.append(YAMLNode.Pair(key: key, value: Self.empty(try scanner.peek().line)))
      }
    }
    try skip()
    return try Self.withoutDuplicates(pairs)
  }

  private mutating func separator(_ problem: String) throws(YAMLError) {
    let (token, line) = try scanner.peek()
    guard token == .flowEntry else { throw YAMLError(problem: problem, line: line) }
    try skip()
  }

  private mutating func flowPair(before ends: [YAMLScanner.Token]) throws(YAMLError) -> YAMLNode.Pair {
    let key = try nodeInFlow(before: ends + [.value])
    var value = Self.empty(try scanner.peek().line)
    if try scanner.peek().token == .value {
      try skip()
      value = try nodeInFlow(before: ends)
    }
    return YAMLNode.Pair(key: key, value: value)
  }

  private static func withoutDuplicates(_ pairs: [YAMLNode.Pair]) throws(YAMLError) -> [YAMLNode.Pair] {
    let lines = Dictionary(grouping: pairs.map(\.key)) { $0.scalar ?? $0.text }.filter { $0.value.count > 1 }
    let names = lines.keys.sorted()
    if let first = names.first, let line = lines[first]?.first?.line {
      throw YAMLError(problem: "set twice: \(names.joined(separator: ", "))", line: line, isOfKeys: true)
    }
    return pairs
  }
}
