/// A value in YAML, with its location.
struct YAMLNode: Sendable {
  enum Content: Sendable {
    /// `isPlain`: it has no quotes, and is not written in lines of its own after `|` or `>`.
    case scalar(String, isPlain: Bool)
    case list([YAMLNode])
    case mapping([Pair])
  }

  struct Pair: Sendable {
    let key: YAMLNode
    let value: YAMLNode
  }

  let content: Content
  /// Counted from 1; 0 for a node that was not read.
  let line: Int

  init(_ content: Content, line: Int = 0) {
    self.content = content
    self.line = line
  }

  /// A text without quotes.
  init(plain text: String) { self.init(.scalar(text, isPlain: true)) }

  /// The text of a scalar, with or without quotes.
  var scalar: String? { if case .scalar(let text, _) = content { text } else { nil } }
  var list: [YAMLNode]? { if case .list(let nodes) = content { nodes } else { nil } }
  var mapping: [Pair]? { if case .mapping(let pairs) = content { pairs } else { nil } }

  /// The text of an unquoted scalar.
  var plainText: String? { if case .scalar(let text, true) = content { text } else { nil } }

  /// Whether this is YAML's null: `null`, `~` or an empty value.
  var isNull: Bool {
    plainText.map { ["", "~", "null", "Null", "NULL"].contains($0) } ?? false
  }

  /// The node in the form used in messages: `[1, 2]`, `0.5`, `"quoted text"`.
  var text: String {
    switch content {
    case .scalar(let text, let isPlain): isPlain ? text : "\"\(text)\""
    case .list(let nodes): "[" + nodes.map(\.text).joined(separator: ", ") + "]"
    case .mapping(let pairs): "{" + pairs.map { "\($0.key.text): \($0.value.text)" }.joined(separator: ", ") + "}"
    }
  }

  /// The node in YAML, on one line.
  var yaml: String {
    switch content {
    case .scalar(let text, let isPlain): isPlain ? text : Self.quoted(text)
    case .list(let nodes): "[" + nodes.map(\.yaml).joined(separator: ", ") + "]"
    case .mapping(let pairs): "{" + pairs.map { "\($0.key.yaml): \($0.value.yaml)" }.joined(separator: ", ") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\0": quoted += "\\0"
      case "\u{7}": quoted += "\\a"
      case "\u{8}": quoted += "\\b"
      case "\t": quoted += "\\t"
      case "\n": quoted += "\\n"
      case "\u{B}": quoted += "\\v"
      case "\u{C}": quoted += "\\f"
      case "\r": quoted += "\\r"
      case "\u{1B}": quoted += "\\e"
      case "\u{85}": quoted += "\\N"
      case "\u{2028}": quoted += "\\L"
      case "\u{2029}": quoted += "\\P"
      case " "..."~", "\u{A0}"..."\u{D7FF}", "\u{E000}"..."\u{FEFE}", "\u{FF00}"..."\u{FFFD}":
        quoted.unicodeScalars.append(scalar)
      default:
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let (mark, count) = digits.count <= 2 ? ("x", 2) : digits.count <= 4 ? ("u", 4) : ("U", 8)
        quoted += "\\" + mark + String(repeating: "0", count: count - digits.count) + digits
      }
    }
    return quoted + "\""
  }
}

/// Why a text is not YAML.
struct YAMLError: Error {
  let problem: String
  /// Counted from 1.
  let line: Int
  /// Whether the text is YAML, but has keys that occur twice.
  var isOfKeys = false
}
