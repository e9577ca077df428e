import CYAML

/// Composes nodes from libyaml's events.
struct YAMLComposer: ~Copyable {
  private static let maximumDepth = 100

  /// What the parser reads, and where it and the last event are: none of them may move.
  private let text: UnsafeMutableBufferPointer<UInt8>
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let event: UnsafeMutablePointer<yaml_event_t>
  private var depth = 0

  private init(_ yaml: String) {
    text = .allocate(capacity: yaml.utf8.count)
    _ = text.initialize(fromContentsOf: yaml.utf8)
    parser = .allocate(capacity: 1)
    parser.initialize(to: yaml_parser_t())
    event = .allocate(capacity: 1)
    event.initialize(to: yaml_event_t())
    // Fails only for lack of memory, and then every call of yaml_parser_parse fails too.
    if yaml_parser_initialize(parser) == 1 {
      yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
      yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    }
  }

  deinit {
    yaml_event_delete(event)
    yaml_parser_delete(parser)
    event.deallocate()
    parser.deallocate()
    text.deallocate()
  }

  /// The root of a text; nil if there is nothing in it.
  /// - Throws: `YAMLError`, also for aliases, for keys that occur twice and for several documents.
  static func root(of yaml: String) throws(YAMLError) -> YAMLNode? {
    var composer = YAMLComposer(yaml)
    try composer.advance()
    try composer.advance()
    guard composer.type == YAML_DOCUMENT_START_EVENT else { return nil }
    try composer.advance()
    let root = try composer.node()
    try composer.advance()
    guard composer.type == YAML_STREAM_END_EVENT else {
      throw YAMLError(problem: "but found another document", line: composer.line)
    }
    return root
  }

  private var type: yaml_event_type_t { event.pointee.type }
  /// Where the event begins, counted from 1.
  private var line: Int { Int(event.pointee.start_mark.line) + 1 }

  private mutating func advance() throws(YAMLError) {
    yaml_event_delete(event)
    guard yaml_parser_parse(parser, event) == 1, type != YAML_NO_EVENT else { throw problem }
  }

  private var problem: YAMLError {
    let parser = parser.pointee
    switch parser.error {
    case YAML_READER_ERROR:
      let line = text.prefix(Int(parser.problem_offset)).count { $0 == UInt8(ascii: "\n") } + 1
      return YAMLError(problem: String(cString: parser.problem), line: line)
    case YAML_SCANNER_ERROR, YAML_PARSER_ERROR:
      return YAMLError(problem: String(cString: parser.problem), line: Int(parser.problem_mark.line) + 1)
    default:
      return YAMLError(problem: "there is not enough memory to read it", line: Int(parser.mark.line) + 1)
    }
  }

  /// The node that begins with the event, which is left behind.
  private mutating func node() throws(YAMLError) -> YAMLNode {
    let (type, line) = (type, line)
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw YAMLError(problem: "it is nested too deeply", line: line) }
    let content: YAMLNode.Content
    switch type {
    case YAML_SCALAR_EVENT: content = scalar
    case YAML_SEQUENCE_START_EVENT: content = .list(try nodes(before: YAML_SEQUENCE_END_EVENT))
    case YAML_MAPPING_START_EVENT: content = .mapping(try pairs())
    default: throw YAMLError(problem: "found undefined alias", line: line)
    }
    try advance()
    return YAMLNode(content, line: line)
  }

  private var scalar: YAMLNode.Content {
    let scalar = event.pointee.data.scalar
    let characters = UnsafeBufferPointer(start: scalar.value, count: Int(scalar.length))
    return .scalar(String(decoding: characters, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
  }

  private mutating func nodes(before end: yaml_event_type_t) throws(YAMLError) -> [YAMLNode] {
    try advance()
    var nodes: [YAMLNode] = []
    while type != end { nodes.append(try node()) }
    return nodes
  }

  private mutating func pairs() throws(YAMLError) -> [YAMLNode.Pair] {
    let nodes = try nodes(before: YAML_MAPPING_END_EVENT)
    let pairs = stride(from: 0, to: nodes.count, by: 2).map { YAMLNode.Pair(key: nodes[$0], value: nodes[$0 + 1]) }
    let twice = Dictionary(grouping: pairs.map(\.key)) { $0.scalar ?? $0.text }.filter { $0.value.count > 1 }
    if let first = twice.keys.min(), let key = twice[first]?.first {
      let names = twice.keys.sorted().joined(separator: ", ")
      throw YAMLError(problem: "set twice: \(names)", line: key.line, isOfKeys: true)
    }
    return pairs
  }
}
