import Files

/// The sources of a run's configuration given on the command line. Later sources override earlier ones: the preset, the
/// file, the settings.
package struct ConfigurationSources: Sendable {
  /// The name of a preset.
  package var preset: String?
  /// The path of a YAML file, which may name its own preset.
  package var file: String?
  /// `key=value` pairs.
  package var settings: [String]

  package init(preset: String? = nil, file: String? = nil, settings: [String] = []) {
    self.preset = preset
    self.file = file
    self.settings = settings
  }

  /// The default name of a run: the preset's name, or the file's name without its extension.
  package var runName: String {
    if let file { return withoutEnding(lastPart(ofPath: file)) }
    return preset ?? Presets.default.name
  }

  /// The resulting configuration, validated. Keys of a preset or of the saved configuration that the file and the
  /// settings leave without use, such as the noise levels of another loss, get their defaults.
  ///
  /// - Parameter saved: the configuration of the run to resume; used if neither preset nor file is given.
  /// - Throws: for an unreadable file, an unknown preset, and every problem found by parsing and `validate()`.
  package func resolve(saved: RunConfiguration? = nil) throws(ConfigurationError) -> RunConfiguration {
    var configuration = saved ?? Presets.default.configuration
    if preset != nil || file != nil { configuration = Presets.default.configuration }
    if let preset { configuration = try Presets.named(preset).configuration }
    var given: Set<String> = []
    if let file {
      let document = try ConfigurationDocument(yaml: Self.read(file), file: file)
      if let ofDocument = try document.presetConfiguration() {
        guard preset == nil else {
          throw ConfigurationError("\(file) names a preset of its own; leave out --preset \(preset ?? "")")
        }
        configuration = ofDocument
      }
      try document.apply(to: &configuration)
      given.formUnion(document.entries.map(\.name))
    }
    let document = try ConfigurationDocument(settings: settings)
    try document.apply(to: &configuration)
    given.formUnion(document.entries.map(\.name))
    configuration = configuration.withoutUnreadKeys(besides: given)
    try configuration.validate()
    return configuration
  }

  /// The keys in the settings, known or not, with their locations.
  /// - Throws: for invalid settings.
  package func settingNames() throws(ConfigurationError) -> [(name: String, location: String)] {
    try ConfigurationDocument(settings: settings).entries.map { ($0.name, $0.location) }
  }

  private static func read(_ file: String) throws(ConfigurationError) -> String {
    do {
      return try readText(at: file, limit: ConfigurationDocument.maximumBytes)
    } catch {
      throw ConfigurationError(error.description)
    }
  }
}
