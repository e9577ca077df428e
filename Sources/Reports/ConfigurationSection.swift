import Configuration

/// The page's section on the configuration: as YAML, with the differences from its preset.
struct ConfigurationSection {
  let configuration: RunConfiguration
  /// The preset with the fewest differences, which is the one that the run was started with unless much was changed.
  let preset: Preset
  private let differences: [(key: ConfigurationKey, mine: String, theirs: String)]

  init(_ configuration: RunConfiguration) {
    self.configuration = configuration
    let compared = Presets.all.map { ($0, configuration.difference(from: $0.configuration)) }
    (preset, differences) = compared.min { $0.1.count < $1.1.count }!
  }

  var html: HTML {
    let rows = differences.map { key, mine, theirs -> HTML in
      "<tr><td><code>\(key.name)</code></td><td><code>\(mine)</code></td><td><code>\(theirs)</code></td></tr>\n"
    }
    let comparison: HTML =
      rows.isEmpty
      ? "<p>It is that of the preset <code>\(preset.name)</code>.</p>"
      : """
      <p>Compared with the preset that is nearest to it:</p>
      <div class="scroll"><table><thead><tr><th>Key</th><th>This run</th><th>Preset <code>\(preset.name)</code></th></tr>\
      </thead><tbody>
      \(HTML.joined(rows))</tbody></table></div>
      """
    return """
      <section id="configuration"><h2>Configuration</h2>
      \(comparison)
      <details><summary>All keys (config.yaml)</summary>
      <pre>\(yaml)</pre></details></section>

      """
  }

  /// The YAML, with the lines marked that differ from the preset.
  private var yaml: HTML {
    let other = Set(differences.map(\.key.name))
    var section = ""
    let lines = configuration.yaml.split(separator: "\n").map { line -> HTML in
      let isNested = line.first == " "
      let key = line.drop { $0 == " " }.prefix { $0 != ":" }
      if !isNested { section = String(key) }
      return other.contains(isNested ? "\(section).\(key)" : section) ? "<mark>\(line)</mark>" : "\(line)"
    }
    return HTML.joined(lines, separator: "\n")
  }
}
