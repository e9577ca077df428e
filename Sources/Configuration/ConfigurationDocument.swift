import TextFormatting

/// A configuration file as written: the keys it sets and their locations, not yet interpreted.
struct ConfigurationDocument {
  struct Entry {
    let name: String
    let value: YAMLNode
    /// The entry's location for messages: `run.yaml:12`, or `--set training.batch=64`.
    let location: String
  }

  private(set) var entries: [Entry] = []
  private(set) var preset: Entry?

  /// Reads YAML text. `file` is the name for messages.
  init(yaml: String, file: String) throws(ConfigurationError) {
    let root: YAMLNode?
    do {
      root = try Self.compose(yaml)
    } catch {
      throw ConfigurationError(Self.message(for: error, file: file))
    }
    guard let root, !root.isNull else { return }
    guard let mapping = root.mapping else {
      throw ConfigurationError("\(file): expected keys and values, like training.steps: 1000, but found \(root.text)")
    }
    collect(mapping, prefix: "", file: file)

    var problems: [String] = []
    var first: [String: String] = [:]
    for entry in entries {
      if let other = first.updateValue(entry.location, forKey: entry.name) {
        problems.append("\(entry.location): \(entry.name) is set twice; first at \(other)")
      }
    }
    if !problems.isEmpty { throw ConfigurationError(problems) }
    preset = entries.first { $0.name == "preset" }
    entries.removeAll { $0.name == "preset" }
  }

  /// Reads `key=value` settings from the command line, with the value in YAML. A later setting of a key overrides an
  /// earlier one.
  init(settings: [String]) throws(ConfigurationError) {
    var problems: [String] = []
    for setting in settings {
      let location = "--set \(setting)"
      guard let equals = setting.firstIndex(of: "="), equals != setting.startIndex else {
        problems.append("\(location): expected key=value, like --set training.steps=1000")
        continue
      }
      let name = setting[..<equals].trimmed
      guard name != "preset" else {
        problems.append("\(location): choose a preset with --preset or in a file")
        continue
      }
      do {
        guard let value = try Self.compose(setting[setting.index(after: equals)...].trimmed) else {
          problems.append("\(location): there is no value after the =")
          continue
        }
        entries.append(Entry(name: name, value: value, location: location))
      } catch {
        problems.append("\(location): the value is not YAML: \(Self.problem(in: error))")
      }
    }
    if !problems.isEmpty { throw ConfigurationError(problems) }
  }

  /// Sets every entry's key in `configuration`.
  ///
  /// - Throws: naming every unknown key and every value of a wrong type.
  func apply(to configuration: inout RunConfiguration) throws(ConfigurationError) {
    var problems: [String] = []
    for entry in entries {
      guard let key = ConfigurationKey.named(entry.name) else {
        problems.append("\(entry.location): there is no key \(entry.name); \(Self.hint(for: entry.name))")
        continue
      }
      if !key.assign(entry.value, &configuration) {
        let found = entry.value.isNull ? "has no value" : "is \(entry.value.text)"
        problems.append("\(entry.location): \(key.name) \(found); expected \(key.expected)")
      }
    }
    if !problems.isEmpty { throw ConfigurationError(problems) }
  }

  /// Why a configuration is rejected before it is parsed: it is too long, or it contains aliases, by which a few bytes
  /// can expand to an endless text.
  private struct Excess: Error, CustomStringConvertible {
    let description: String
  }

  /// Far more than all keys with long comments need.
  static let maximumBytes = 1 << 16

  private static func compose(_ yaml: String) throws -> YAMLNode? {
    if yaml.utf8.count > maximumBytes {
      throw Excess(description: "it has \(yaml.utf8.count) bytes, more than the limit of \(maximumBytes)")
    }
    // The parser rejects an alias without an anchor.
    if let name = names(after: "*", in: yaml).intersection(names(after: "&", in: yaml)).min() {
      throw Excess(description: "it has the alias *\(name), which is not supported; write its value instead")
    }
    return try YAMLComposer.root(of: yaml)
  }

  /// All texts after a mark that YAML could take for the name of an anchor or alias.
  private static func names(after mark: Unicode.Scalar, in yaml: String) -> Set<String> {
    let parts = yaml.unicodeScalars.split(separator: mark, omittingEmptySubsequences: false)
    func isPartOfName(_ scalar: Unicode.Scalar) -> Bool {
      switch scalar {
      case "0"..."9", "A"..."Z", "a"..."z", "-", "_": true
      default: false
      }
    }
    return Set(parts.dropFirst().map { String($0.prefix(while: isPartOfName)) }.filter { !$0.isEmpty })
  }

  private mutating func collect(_ mapping: [YAMLNode.Pair], prefix: String, file: String) {
    for pair in mapping {
      let (key, value) = (pair.key, pair.value)
      let name = prefix + (key.scalar ?? key.text)
      let isSection = ConfigurationKey.all.contains { $0.name.hasPrefix(name + ".") }
      if let section = value.mapping {
        collect(section, prefix: name + ".", file: file)
      } else if isSection && value.isNull {
        // A section all of whose keys are commented out.
      } else {
        entries.append(Entry(name: name, value: value, location: "\(file):\(key.line)"))
      }
    }
  }

  private static func hint(for name: String) -> String {
    let names = ConfigurationKey.all.map(\.name)
    if let nearest = Suggestion.nearest(to: name, among: names) { return "did you mean \(nearest)?" }
    let section = name.prefix { $0 != "." } + "."
    let siblings = names.filter { $0.hasPrefix(section) }
    if !siblings.isEmpty { return "its keys are \(siblings.joined(separator: ", "))" }
    var sections: [String] = []
    for name in names {
      let section = String(name.prefix { $0 != "." })
      if !sections.contains(section) { sections.append(section) }
    }
    return "keys start with \(sections.joined(separator: ", "))"
  }

  private static func message(for error: any Error, file: String) -> String {
    guard let error = error as? YAMLError else { return "\(file): this is not a configuration: \(error)" }
    return "\(file):\(error.line): \(error.isOfKeys ? "" : "this is not YAML: ")\(error.problem)"
  }

  private static func problem(in error: any Error) -> String { (error as? YAMLError)?.problem ?? "\(error)" }
}
