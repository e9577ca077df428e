import Failures
import FeatureNetworks
import Files
import Interchange
import MessagePassing
import Ranks
import Reporting

/// Converts a classifier's checkpoint to a feature network file, so that others can use the same features. For one
/// process.
package struct FeatureExportJob: Sendable {
  /// A checkpoint of `train-classifier`, or its run's folder.
  package var checkpoint: String
  package var weights = ModelRequest.Weights.ema
  /// The label of measures on these features.
  package var name: String
  /// The file to write.
  package var output: String
  /// Whether to replace an existing file.
  package var replaces = false

  package init(checkpoint: String, name: String, output: String) {
    self.checkpoint = checkpoint
    self.name = name
    self.output = output
  }

  /// Runs in this process alone.
  package func run(communicator: Communicator) throws {
    try requireOneProcess("export", communicator)
    let reporter = RunReporter(isSpeaking: true)
    defer { reporter.finish() }
    try communicator.together {
      guard !name.isEmpty, name != FeatureNetworks.inceptionName else {
        throw InputError("--name \(name): this name is reserved for other features; choose another name")
      }
      _ = try OutputFile(output, replaces: replaces)
      let (model, path, problems) = try CheckpointLookup.newest(at: checkpoint, option: "--checkpoint") {
        try TrainedClassifierModel(reading: $0, weights: weights)
      }
      for problem in problems { reporter.log.warning("\(problem); trying the previous one") }
      let contents = FeatureNetworkFile.contents(
        name: name, configuration: model.configuration.yaml, imageShape: model.imageShape,
        classCount: model.network.classCount, parameters: model.parameters)
      try replaceFile(at: output, with: contents)
      let written = try ClassifierFeatures(Safetensors(readingFrom: output))
      reporter.message(
        "Wrote \(output) from \(path): features \(name), \(written.featureCount) numbers per image, checksum "
          + "\(written.hash).")
    }
  }
}
