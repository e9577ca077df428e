import Configuration
import Diffusion
import Failures
import Interchange
import Network
import Ranks
import Tensors

/// A diffusers model as a configuration, a network and its weights.
package struct ModelImport: Sendable {
  package let configuration: RunConfiguration
  package let network: UNet
  package let parameters: Arena
  /// Whether a row of zeros for no class was added to the class embedding.
  package let addedNoClass: Bool
  /// Whether the folder specifies the process; otherwise the configuration's sources do.
  package let specifiesProcess: Bool

  /// Reads a folder written by diffusers.
  /// - Parameters:
  ///   - sources: the sources of all other settings of a run; by default those of the run that the folder was exported
  ///     from, if it contains them.
  ///   - classCount: the number of rows of the class embedding that are classes: all, or all but the last, which is for
  ///     no class; by default as specified in the folder.
  /// - Throws: `InterchangeError` naming the file and key that are not supported, `ConfigurationError`.
  package init(from path: String, sources: ConfigurationSources, classCount: Int? = nil) throws {
    let folder = try PipelineFolder(path)
    let mapping = try UNetMapping(folder.network)
    let process = try folder.scheduler.map { (file) throws(InterchangeError) in try processMapping(file) }
    let exported = try Self.exportedConfiguration(folder)
    let classes = try Self.classCount(classCount, mapping, exported, folder)
    specifiesProcess = process != nil || exported != nil

    var base = sources
    base.settings = []
    var described = try base.resolve(saved: exported)
    mapping.apply(to: &described, classCount: classes)
    process?.apply(to: &described)
    // The base may have been for another process.
    described = described.withoutUnreadKeys()
    if mapping.outputChannels == mapping.inputChannels, described.diffusion.variance.isLearned {
      throw folder.network.refusal(
        "out_channels", "is \(mapping.outputChannels), but according to the scheduler the variance is learned",
        advice: "correct variance_type, or out_channels")
    }
    try ConfigurationError.found(in: folder.path) { try described.validateKeys() }
    described.fitLoss()

    var own = ConfigurationSources()
    own.settings = sources.settings
    do { configuration = try own.resolve(saved: described) } catch {
      // If it is invalid without the settings, the folder is the cause.
      let isPossible = (try? described.validate()) != nil
      throw isPossible ? error : error.found(in: folder.path)
    }
    guard configuration.data.conditions.isEmpty else {
      throw InputError(
        "data.conditions is [\(configuration.data.conditions.joined(separator: ", "))], but UNet2DModel is given noisy "
          + "images, times and classes only; set it to []")
    }
    try Self.check(configuration, against: described, specifiesProcess: specifiesProcess, mapping, folder)
    network = try ConfigurationError.found(in: folder.network.path) { [configuration] in
      try configuration.network(height: mapping.height, width: mapping.width, channels: mapping.inputChannels)
    }
    try MemoryNeed.inference(network, batch: 0, option: "").require(.alone)
    (parameters, addedNoClass) = try Self.read(folder.weights, network.layout)
  }

  /// [H, W, C].
  package var imageShape: [Int] {
    let network = network.configuration
    return [network.imageHeight, network.imageWidth, network.imageChannels]
  }

  // MARK: The configuration

  /// The configuration of the run that the folder was exported from.
  private static func exportedConfiguration(_ folder: PipelineFolder) throws -> RunConfiguration? {
    try folder.weights.metadata[PipelineExport.configurationKey].map {
      try RunConfiguration(yaml: $0, file: "\(folder.weights.path): \(PipelineExport.configurationKey)")
    }
  }

  private static func classCount(
    _ asked: Int?, _ mapping: UNetMapping, _ exported: RunConfiguration?, _ folder: PipelineFolder
  ) throws -> Int? {
    guard let rows = mapping.classRowCount else {
      guard asked == nil else {
        throw InputError("--classes requires a network with classes, but num_class_embeds of \(folder.path) is null")
      }
      return nil
    }
    if let asked {
      guard (asked == rows || asked == rows - 1) && asked > 0 else {
        throw InputError(
          "--classes is \(asked), but the network has num_class_embeds \(rows); give \(rows) if all of them are classes, "
            + "or \(rows - 1) if the last one is for no class")
      }
      return asked
    }
    if let count = exported?.model.classes, count == rows - 1 { return count }
    throw folder.network.refusal(
      "num_class_embeds", "is \(rows), but it is not known whether the last of them is for no class",
      advice: "use --classes \(rows) if all of them are classes, or --classes \(rows - 1)")
  }

  /// Rejects settings that would turn the weights into another network, or change the process.
  private static func check(
    _ configuration: RunConfiguration, against described: RunConfiguration, specifiesProcess: Bool,
    _ mapping: UNetMapping,
    _ folder: PipelineFolder
  ) throws {
    let free = ["model.dropout", "model.convolution", "model.precision"]
    let process = [
      "diffusion.process", "diffusion.steps", "diffusion.schedule", "diffusion.beta_first", "diffusion.beta_last",
      "diffusion.zero_terminal_snr",
      "diffusion.sigma_min", "diffusion.sigma_max", "diffusion.sigma_data", "diffusion.prediction",
      "diffusion.rescale_times",
    ]
    for difference in configuration.difference(from: described) {
      let name = difference.key.name
      let isFixed = name.hasPrefix("model.") ? !free.contains(name) : specifiesProcess && process.contains(name)
      if isFixed {
        throw InputError(
          "--set \(name)=\(difference.mine): in \(folder.path) it is \(difference.theirs); remove it")
      }
    }
    let isLearned = configuration.diffusion.variance.isLearned
    guard isLearned == (mapping.outputChannels == 2 * mapping.inputChannels) else {
      throw folder.network.refusal(
        "out_channels",
        "is \(mapping.outputChannels) and in_channels \(mapping.inputChannels), which "
          + (isLearned ? "leaves no channels for a learned variance" : "requires a learned variance")
          + ", but diffusion.variance is \(configuration.diffusion.variance.rawValue)",
        advice: isLearned
          ? "--set diffusion.variance=small or large"
          : "--set diffusion.variance=learned-range if the model was trained that way")
    }
  }

  // MARK: The weights

  private static func read(
    _ weights: WeightFiles, _ layout: ParameterLayout
  ) throws(InterchangeError) -> (Arena, addedNoClass: Bool) {
    let parameters = Arena(layout)
    var addedNoClass = false
    var unread = Set(weights.names)
    for entry in layout.entries {
      let mapping = TensorMapping(entry: entry)
      var name = entry.name
      if let legacy = mapping.legacyName, weights.shape(of: name) == nil, weights.shape(of: legacy) != nil {
        name = legacy
      }
      var elements = try weights.floats(name)
      unread.remove(name)
      guard let shape = weights.shape(of: name) else { preconditionFailure("the tensor was just read") }
      if entry.name == TensorMapping.tableName, shape == [entry.shape[0] - 1, entry.shape[1]] {
        elements += [Float](repeating: 0, count: entry.shape[1])
        addedNoClass = true
      } else if shape != mapping.shape {
        throw InterchangeError(
          weights.path, "tensor \(name) is \(shape), but the network of config.json has \(mapping.shape)",
          advice: "check that both files belong to the same model")
      }
      guard elements.allSatisfy(\.isFinite) else {
        throw InterchangeError(weights.path, "tensor \(name) has values that are not finite")
      }
      parameters.tensor(entry).copy(mapping.fromPyTorch(elements))
    }
    if let name = unread.sorted().first {
      throw InterchangeError(
        weights.path, "tensor \(name) does not belong to the network of config.json",
        advice: ComponentFile.usualAdvice)
    }
    return (parameters, addedNoClass)
  }
}

extension RunConfiguration {
  /// Chooses another loss for further training if this one does not fit the model.
  fileprivate mutating func fitLoss() {
    if (try? objective()) != nil { return }
    diffusion.loss = diffusion.variance.isLearned ? .hybrid : .simple
  }
}
