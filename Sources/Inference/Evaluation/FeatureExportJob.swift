import Failures
import FeatureNetworks
import Files
import Foundation
import MessagePassing
import Reporting

/// Makes a classifier's checkpoint a file of features, which others can measure with too. For one process.
public struct FeatureExportJob: Sendable {
  /// A checkpoint of `train-classifier`, or its run's folder.
  public var checkpoint: String
  public var weights = ModelRequest.Weights.ema
  /// What measures on these features are labelled with.
  public var name: String
  /// The file to write.
  public var output: String
  /// Whether to replace a file that is in its place.
  public var replaces = false

  public init(checkpoint: String, name: String, output: String) {
    self.checkpoint = checkpoint
    self.name = name
    self.output = output
  }

  /// Works in this process alone.
  public func run(communicator: Communicator) throws {
    try requireOneProcess("export", communicator)
    let reporter = RunReporter(isSpeaking: true)
    defer { reporter.finish() }
    try communicator.together {
      guard !name.isEmpty, name != FeatureNetworks.inceptionName else {
        throw InputError("--name \(name): this is what other features are called; choose another name")
      }
      _ = try OutputFile(output, replaces: replaces)
      let (model, path, problems) = try CheckpointLookup.newest(at: checkpoint, option: "--checkpoint") {
        try TrainedClassifierModel.read($0, weights: weights)
      }
      for problem in problems { reporter.log.warning("\(problem); trying the one before") }
      let contents = FeatureNetworkFile.contents(
        name: name, configuration: model.configuration.yaml, imageShape: model.imageShape,
        classCount: model.network.classCount, parameters: model.parameters)
      try replaceFile(at: output, with: contents)
      let written = try ClassifierFeatures(FeatureNetworkFile(readingFrom: output))
      reporter.message(
        "Wrote \(output) from \(path): features \(name), \(written.featureCount) numbers of each image, checksum "
          + "\(written.hash).")
    }
  }
}
