/// A named configuration to start from.
public struct Preset: Sendable {
  public let name: String
  public let summary: String
  public let configuration: RunConfiguration

  init(_ name: String, _ summary: String, _ change: (inout RunConfiguration) -> Void = { _ in }) {
    self.name = name
    self.summary = summary
    var configuration = RunConfiguration()
    change(&configuration)
    self.configuration = configuration
  }
}

/// The presets that come with the program.
public enum Presets {
  /// What `train` runs when nothing else is asked for; its values are the keys' defaults.
  public static let `default` = Preset("quickstart", "Fashion-MNIST, a small network, minutes on two cores")

  public static let all: [Preset] = [
    `default`,
    Preset("fashion-mnist", "Fashion-MNIST, a network that draws clear garments") {
      $0.model.channels = 64
      $0.model.groups = 32
      $0.model.blocks = 2
      $0.model.attentionResolutions = [16]
      $0.model.dropout = 0.1
      $0.training.steps = 100_000
      $0.training.batch = 64
      $0.training.microBatch = 8
      $0.training.learningRate = 2e-4
      $0.training.warmupSteps = 1000
      $0.training.emaDecays = [0.999]
      $0.training.checkpointEvery = 1000
      $0.training.sampleEvery = 5000
      $0.sampling.steps = 250
    },
    Preset("cifar10", "CIFAR-10 as in the DDPM paper (Ho et al. 2020, appendix B)") {
      $0.data.name = "cifar10"
      $0.data.flip = true
      $0.model.channels = 128
      $0.model.groups = 32
      $0.model.multipliers = [1, 2, 2, 2]
      $0.model.blocks = 2
      $0.model.attentionResolutions = [16]
      $0.model.dropout = 0.1
      $0.diffusion.variance = .large
      $0.training.steps = 800_000
      $0.training.batch = 128
      $0.training.microBatch = 16
      $0.training.learningRate = 2e-4
      $0.training.warmupSteps = 5000
      $0.training.emaDecays = [0.9999]
      $0.training.checkpointEvery = 1000
      $0.training.sampleEvery = 50_000
      $0.sampling.steps = 1000
    },
    Preset("shapes", "drawn shapes that need no data: for trying out a machine, and for tests") {
      $0.data.name = "shapes"
      $0.model.multipliers = [1, 2]
      $0.model.attentionResolutions = [16]
      $0.training.steps = 200
      $0.training.batch = 16
      $0.training.microBatch = 2
      $0.training.warmupSteps = 20
      $0.training.emaDecays = [0.99]
      $0.training.checkpointEvery = 100
      $0.training.sampleEvery = 200
      $0.sampling.count = 16
      $0.sampling.steps = 20
    },
  ]

  /// The preset called `name`.
  ///
  /// - Throws: when there is none; the message lists those that there are.
  public static func named(_ name: String) throws(ConfigurationError) -> Preset {
    if let preset = all.first(where: { $0.name == name }) { return preset }
    let names = all.map(\.name)
    let hint = Suggestion.nearest(to: name, among: names).map { "did you mean \($0)? " } ?? ""
    throw ConfigurationError("there is no preset \(name); \(hint)the presets are \(names.joined(separator: ", "))")
  }
}
