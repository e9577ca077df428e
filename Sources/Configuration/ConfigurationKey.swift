/// One key of the configuration: its name, its meaning and how it reads and writes a `RunConfiguration`.
///
/// `all` is the only list of keys. Parsing, rendering, checks of single values, suggestions and the reference text are
/// derived from it, so a new key needs only a property and one entry.
package struct ConfigurationKey: Sendable {
  /// The name with its section: `training.batch`.
  package let name: String
  /// What it means, in one line, with its unit.
  package let help: String
  /// The expected type: `a whole number`.
  package let expected: String
  /// The allowed values, for the reference and the help of options: `a whole number; at least 1`.
  package let values: String
  /// A restriction beyond the type (`at least 1`), if there is one.
  package let allowed: String?
  /// Whether a resumed run may have a different value: the key does not affect the numbers that training computes.
  package let mayChangeOnResume: Bool

  let node: @Sendable (RunConfiguration) -> YAMLNode
  /// Sets the key and returns true, or returns false if the node is not a value of its type.
  let assign: @Sendable (YAMLNode, inout RunConfiguration) -> Bool
  let isAllowed: @Sendable (RunConfiguration) -> Bool

  /// The key's value in `configuration` as YAML: `64`, `[1, 2, 2]`, `none`.
  package func value(in configuration: RunConfiguration) -> String {
    node(configuration).text
  }

  init<Value: ConfigurationValue>(
    _ name: String, _ property: WritableKeyPath<RunConfiguration, Value> & Sendable, _ allowed: AllowedValues<Value>,
    mayChangeOnResume: Bool = false, _ help: String
  ) {
    self.name = name
    self.help = help
    self.expected = Value.expected
    self.allowed = allowed.description
    self.values = [Value.expected, allowed.description].compactMap { $0 }.joined(separator: "; ")
    self.mayChangeOnResume = mayChangeOnResume
    self.node = { $0[keyPath: property].node }
    self.assign = { node, configuration in
      guard let value = Value(node: node) else { return false }
      configuration[keyPath: property] = value
      return true
    }
    self.isAllowed = { allowed.contains($0[keyPath: property]) }
  }

  /// A key that may have no value, written as `absent` (`null` is accepted too).
  init<Value: ConfigurationValue>(
    _ name: String, _ property: WritableKeyPath<RunConfiguration, Value?> & Sendable, absent: String,
    _ allowed: AllowedValues<Value>, mayChangeOnResume: Bool = false, _ help: String
  ) {
    self.name = name
    self.help = help
    self.expected = "\(Value.expected), or \(absent)"
    self.allowed = allowed.description.map { "\($0), or \(absent)" }
    self.values = [Value.expected, allowed.description, "or \(absent)"].compactMap { $0 }.joined(separator: "; ")
    self.mayChangeOnResume = mayChangeOnResume
    self.node = { $0[keyPath: property]?.node ?? YAMLNode(plain: absent) }
    self.assign = { node, configuration in
      if node.isNull || node.plainText == absent {
        configuration[keyPath: property] = nil
        return true
      }
      guard let value = Value(node: node) else { return false }
      configuration[keyPath: property] = value
      return true
    }
    self.isAllowed = { configuration in configuration[keyPath: property].map(allowed.contains) ?? true }
  }

  /// The key with this name, or nil.
  package static func named(_ name: String) -> ConfigurationKey? {
    all.first { $0.name == name }
  }

  /// Every key with its meaning, its values and its default, as text for a terminal of 80 columns.
  package static var reference: String {
    let defaults = RunConfiguration()
    return all.map { key in
      let paragraphs = [key.help, "\(key.values). Default: \(key.value(in: defaults))"]
      return ([key.name] + paragraphs.map { $0.wrapped(firstIndent: "    ", indent: "    ") }).joined(separator: "\n")
    }.joined(separator: "\n")
  }
}

extension String {
  /// The words of the text on indented lines of at most 79 characters.
  package func wrapped(firstIndent: String, indent: String) -> String {
    var lines: [String] = []
    for word in split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= 79 {
        lines[lines.count - 1] += " \(word)"
      } else {
        lines.append((lines.isEmpty ? firstIndent : indent) + word)
      }
    }
    return lines.joined(separator: "\n")
  }
}
