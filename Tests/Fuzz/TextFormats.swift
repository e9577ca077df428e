import Configuration
import Foundation
import Interchange
import Reports

/// Creates everything that a configuration determines before a run starts.
private func use(_ configuration: RunConfiguration) throws {
  try configuration.validate()
  _ = try configuration.process()
  _ = try configuration.objective()
  _ = try configuration.modelDescription()
  guard configuration.diffusion.process.isDiscrete == false || configuration.diffusion.steps <= 1 << 20 else { return }
  _ = try configuration.network(height: 32, width: 32, channels: 3)
  guard try RunConfiguration(yaml: configuration.yaml, file: "again") == configuration else {
    fatalError("what was written is not what is read")
  }
}

private let metrics = (1...20).map {
  "{\"step\": \($0), \"images\": \($0 * 64), \"loss\": \(1 / Double($0)), \"gradient_norm\": 0.5, \"learning_rate\": "
    + "0.0002, \"images_per_second\": 123.5, \"seconds\": \($0).25}"
}.joined(separator: "\n")

private let journal = """
  {"event":"start","step":0,"time":"2026-01-01T00:00:00Z","job":{"version":"1","ranks":2,"threadsPerRank":1,"hosts":1,\
  "steps":20}}
  {"event":"checkpoint","step":10,"time":"2026-01-01T00:01:00Z","seconds":0.5}
  {"event":"done","step":20,"time":"2026-01-01T00:02:00Z"}
  """

private let evaluations = """
  {"step":20,"variables":[{"name":"u","units":"m s-1","spectrum":{"drawn":[0,4,2,1],"reference":[0,4,1,1],\
  "relative_errors":[null,0,1,0],"error":0.5},"histogram":{"edges":[-1,0,1],"drawn":[3,1],"reference":[2,2],\
  "distance":0.25},"crps":{"standard":0.5,"fair":0.4},"spread_skill":{"ratio":0.8},"rank_histogram":{"counts":[3,1]}}],\
  "cross_spectra":[{"first":"u","second":"v","drawn":[null,0.5,0.25],"reference":[null,0.5,0.5],"error":0.1}]}
  """

let textFormats = [
  Format(
    name: "yaml", example: { Example(["config.yaml": Array(RunConfiguration().yaml.utf8)]) },
    mutate: Format.textMutation,
    read: { try use(ConfigurationSources(file: "\($0)/config.yaml").resolve()) }),
  Format(
    name: "keys",
    example: {
      let configuration = RunConfiguration()
      let lines = ConfigurationKey.all.map { "\($0.name)=\($0.value(in: configuration))" }
      return Example(["settings": Array(lines.joined(separator: "\n").utf8)])
    },
    mutate: { input, _, generator in
      // A few keys, one of them with a value from another key.
      var lines = String(decoding: input, as: UTF8.self).split(separator: "\n").map(String.init)
      lines.shuffle(using: &generator)
      lines = Array(lines.prefix(Int.random(in: 1...4, using: &generator)))
      let key = lines[0].prefix { $0 != "=" }
      let values =
        Mutator.numbers + Mutator.texts + ["[1, 2]", "[0]", "[2147483648, 4294967296]", "[1, 1, 1, 1, 1, 1, 1, 1, 1]"]
      lines[0] = "\(key)=\(values.randomElement(using: &generator)!)"
      return Array(lines.joined(separator: "\n").utf8)
    },
    read: { folder in
      let settings = String(decoding: try contents(of: "\(folder)/settings"), as: UTF8.self).split(separator: "\n")
      try use(ConfigurationSources(settings: settings.map(String.init)).resolve())
    }),
  Format(
    name: "json",
    example: {
      let text = #"{"a": [1, -2.5e3, true, null, {"b": "text \u00e9\n"}], "c": Infinity, "d": {"e": {}}}"#
      return Example(["a.json": Array(text.utf8)])
    },
    mutate: Format.textMutation,
    read: { _ = try JSONValue(parsing: contents(of: "\($0)/a.json"), path: "a.json") }),
  Format(
    name: "report",
    example: {
      Example(
        [
          "config.yaml": Array(RunConfiguration().yaml.utf8), "metrics.jsonl": Array(metrics.utf8),
          "journal.jsonl": Array(journal.utf8), "evaluations.jsonl": Array(evaluations.utf8),
        ], changing: ["metrics.jsonl", "journal.jsonl", "evaluations.jsonl", "config.yaml"])
    },
    mutate: Format.textMutation,
    read: { _ = try RunReport(RunFolder($0)).html }),
]
