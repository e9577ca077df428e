import FeatureNetworks
import Foundation
import Jobs

/// Makes a classifier's checkpoint a file of features, which others can measure with too. For one process.
public struct FeatureExportJob: Sendable {
  /// A checkpoint of `train-classifier`, or its run's folder.
  public var checkpoint: String
  public var weights = ModelRequest.Weights.ema
  /// What measures on these features are labelled with.
  public var name: String
  /// The file to write.
  public var output: String

  public init(checkpoint: String, name: String, output: String) {
    self.checkpoint = checkpoint
    self.name = name
    self.output = output
  }

  /// - Returns: a sentence about what was written.
  public func run() throws -> String {
    guard !name.isEmpty, name != FeatureNetworks.inceptionName else {
      throw InputError("--name \(name): this is what other features are called; choose another name")
    }
    try checkWritable(output)
    let (model, path, problems) = try CheckpointPlace.newest(at: checkpoint, option: "--checkpoint") {
      try TrainedClassifierModel.read($0, weights: weights)
    }
    let contents = FeatureNetworkFile.contents(
      name: name, configuration: model.configuration.yaml, imageShape: model.imageShape,
      classCount: model.network.classCount, parameters: model.parameters)
    try replaceFile(at: output, with: contents)
    let written = try ClassifierFeatures(FeatureNetworkFile(readingFrom: output))
    let skipped = problems.map { "\($0); took the one before. " }.joined()
    return skipped + "Wrote \(output) from \(path): features \(name), \(written.featureCount) numbers of each image, "
      + "checksum \(written.hash)."
  }
}
