import Datasets

/// A named configuration to start from.
package struct Preset: Sendable {
  package let name: String
  package let summary: String
  /// The publication that it reproduces; nil for the program's own.
  package let publication: Publication?
  /// The shape [H, W, C] of the images that it is for, if its data set does not determine it; nil otherwise.
  package let ownImageShape: [Int]?
  package let configuration: RunConfiguration

  /// The source of a configuration, and the results published for it.
  package struct Publication: Sendable, Equatable {
    /// Authors, title and venue.
    package let paper: String
    /// The published results on the data set, with their position in the paper; not results of this program.
    package let figures: String
    /// What the authors did differently; nil if nothing.
    package var differences: String?
  }

  init(
    _ name: String, _ summary: String, publication: Publication? = nil, ownImageShape: [Int]? = nil,
    _ change: (inout RunConfiguration) -> Void = { _ in }
  ) {
    self.name = name
    self.summary = summary
    self.publication = publication
    self.ownImageShape = ownImageShape
    var configuration = RunConfiguration()
    change(&configuration)
    self.configuration = configuration
  }

  /// The shape [H, W, C] of the images of a configuration that was made from this preset; nil if only its data set
  /// determines it.
  package func imageShape(for configuration: RunConfiguration) -> [Int]? {
    let data = configuration.data
    if let shape = DatasetCatalog.imageShape(name: data.name, channels: data.channels) { return shape }
    return ownImageShape.map { [$0[0], $0[1], data.channels ?? $0[2]] }
  }
}

/// The presets that come with the program.
package enum Presets {
  /// What `train` runs when nothing else is asked for; its values are the keys' defaults.
  package static let `default` = Preset("quickstart", "Fashion-MNIST, a small network; minutes on two cores")

  package static let all: [Preset] = [`default`, fashionMNIST] + cifar10 + [imageNet, fields, shapes]

  private static let fashionMNIST = Preset("fashion-mnist", "Fashion-MNIST, a network that generates clear garments") {
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
  }

  private static let fields = Preset(
    "fields", "generated Gaussian fields, periodic, whose distribution is known exactly"
  ) {
    $0.data.name = "gaussian-field"
    $0.model.periodicity = .both
    $0.diffusion.process = .edm
    $0.diffusion.loss = .edm
    // EDM's values are for photographs. Fields have most of their variance in a few modes, each of which stands out of
    // more noise than a pixel: that of k = 0 has a standard deviation of 6. With EDM's, its power was 29% too small after
    // 3000 steps.
    $0.diffusion.levels.mean = 0
    $0.diffusion.levels.standardDeviation = 1.4
    $0.training.steps = 10_000
    $0.training.warmupSteps = 200
    $0.training.schedule = .cosine
    $0.training.emaDecays = [0.999]
    $0.training.checkpointEvery = 1000
    $0.training.sampleEvery = 2000
    $0.training.sampleCount = 8
    $0.sampling.steps = 32
  }

  private static let shapes = Preset(
    "shapes", "generated shapes, without a data set, to try out a machine and for tests"
  ) {
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
    $0.training.sampleCount = 16
    $0.sampling.steps = 20
  }

  /// The preset with this name.
  ///
  /// - Throws: if there is none; the message lists all presets.
  package static func named(_ name: String) throws(ConfigurationError) -> Preset {
    if let preset = all.first(where: { $0.name == name }) { return preset }
    let names = all.map(\.name)
    let hint = Suggestion.nearest(to: name, among: names).map { "did you mean \($0)? " } ?? ""
    throw ConfigurationError("there is no preset \(name); \(hint)the presets are \(names.joined(separator: ", "))")
  }
}
