extension RunConfiguration {
  /// Reads YAML text, such as a checkpoint's or a run's: the values of its `preset`, or else the defaults, overridden
  /// by the keys that it sets. The result is valid.
  ///
  /// - Parameter file: the name shown in messages, with the line.
  /// - Throws: naming every unknown or repeated key and every value of a wrong type; then every problem found by
  ///   `validate()`.
  package init(yaml: String, file: String) throws(ConfigurationError) {
    try self.init(reading: yaml, file, over: RunConfiguration())
    try validate(asIn: file)
  }

  /// Reads the stored configuration of a run, which may be from an older version with fewer keys: missing keys get the
  /// values that correspond to the older behaviour. It may also contain unused keys.
  ///
  /// - Throws: as for other YAML.
  package init(ofRun yaml: String, file: String) throws(ConfigurationError) {
    try self.init(reading: yaml, file, over: .beforeLaterKeys)
    self = withoutUnreadKeys().withSigmaDataOfImages()
    try validate(asIn: file)
  }

  private init(reading yaml: String, _ file: String, over base: RunConfiguration) throws(ConfigurationError) {
    let document = try ConfigurationDocument(yaml: yaml, file: file)
    self = try document.presetConfiguration() ?? base
    try document.apply(to: &self)
  }

  private func validate(asIn file: String) throws(ConfigurationError) {
    do { try validate() } catch { throw error.found(in: file) }
  }

  /// The defaults, except for keys that were added later with a default that changes the behaviour.
  private static var beforeLaterKeys: RunConfiguration {
    var configuration = RunConfiguration()
    configuration.training.emaRampup = nil
    return configuration
  }

  /// All keys in YAML, in a fixed order. Parses back to an equal configuration.
  package var yaml: String {
    var root: [String] = []
    var sections: [(name: String, lines: [String])] = []
    for key in ConfigurationKey.all {
      let parts = key.name.split(separator: ".", maxSplits: 1).map(String.init)
      let value = key.node(self).yaml
      guard parts.count == 2 else {
        root.append("\(key.name): \(value)")
        continue
      }
      if sections.last?.name != parts[0] { sections.append((parts[0], [])) }
      sections[sections.count - 1].lines.append("  \(parts[1]): \(value)")
    }
    let lines = root + sections.flatMap { ["\($0.name):"] + $0.lines }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension ConfigurationDocument {
  /// The configuration of the preset that the document names, if it names one.
  func presetConfiguration() throws(ConfigurationError) -> RunConfiguration? {
    guard let preset else { return nil }
    guard let name = preset.value.scalar else {
      throw ConfigurationError("\(preset.location): preset is \(preset.value.text); expected a preset's name")
    }
    do {
      return try Presets.named(name).configuration
    } catch {
      throw ConfigurationError("\(preset.location): \(error)")
    }
  }
}
