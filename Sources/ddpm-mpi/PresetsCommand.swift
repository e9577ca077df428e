import ArgumentParser
import Configuration
import Files

/// Lists the presets, or prints one.
struct PresetsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "presets",
    abstract: "List the presets, or print one as YAML.",
    discussion: """
      Presets that reproduce a paper name it and its results.

      EXAMPLES
        ddpm-mpi presets
        ddpm-mpi presets cifar10-edm > mine.yaml && ddpm-mpi train --config mine.yaml
        ddpm-mpi presets --json
      """)

  @Argument(help: "The preset to print, for --config; by default, all are listed.")
  var name: String?

  @Flag(help: "Print one line of JSON.")
  var json = false

  func run() throws {
    guard let name else {
      if json { return try printJSON(Presets.all.map { Entry($0) }) }
      StandardOutput.print(Presets.all.map(text).joined(separator: "\n"))
      return
    }
    let preset = try Presets.named(name)
    if json { return try printJSON(Entry(preset, yaml: preset.configuration.yaml)) }
    StandardOutput.write(preset.configuration.yaml)
  }

  private func text(_ preset: Preset) -> String {
    let publication = preset.publication
    let details = [preset.summary, publication?.paper, publication?.figures, publication?.differences]
    let lines = details.compactMap { $0?.wrapped(firstIndent: "  ", indent: "    ") }
    return ([preset.name] + lines).joined(separator: "\n")
  }

  private struct Entry: Encodable {
    let name: String
    let summary: String
    let paper: String?
    let figures: String?
    let differences: String?
    let yaml: String?

    init(_ preset: Preset, yaml: String? = nil) {
      name = preset.name
      summary = preset.summary
      paper = preset.publication?.paper
      figures = preset.publication?.figures
      differences = preset.publication?.differences
      self.yaml = yaml
    }
  }
}
