import Configuration
import Datasets
import Evaluation
import Failures
import FeatureNetworks
import Files
import Foundation
import MessagePassing
import Ranks
import Reporting

/// Draws images from a checkpoint and compares them with its data set; the work is shared among all ranks.
package struct EvaluateJob: Sendable {
  package var model: ModelRequest
  /// The number of images to draw.
  package var count: Int
  package var measures = Measure.allCases
  /// The name or path for `FeatureNetworks.load`.
  package var features = EmbeddedClassifier.name
  package var inceptionWeights: String?
  package var seed: UInt64 = 0
  /// The classes of the images in turn; by default all classes, if there are any.
  package var classes: [Int?]?
  /// The split to compare with.
  package var split = DatasetSplit.training
  /// The location of the data set; by default that of the training.
  package var dataPath: String?
  /// The background of transparent pixels of image files; by default that of the training.
  package var background: FolderImages.Background?
  /// The number of images of the split, from its start; by default all.
  package var referenceCount: Int?
  /// A file of statistics to compare with instead.
  package var referenceFile: String?
  /// The cache for data computed from the reference; nil for none.
  package var referenceCache: ReferenceCache?
  package var printsJSON = false

  package init(_ model: ModelRequest, count: Int) {
    self.model = model
    self.count = count
  }

  /// Computes and prints the measures. Collective.
  package func run(communicator: Communicator) throws {
    let reporter = RunReporter(isSpeaking: communicator.rank == 0 && !printsJSON)
    defer { reporter.finish() }
    let result = try evaluate(communicator: communicator, reporter: reporter)
    reporter.clear()
    guard communicator.rank == 0 else { return }
    StandardOutput.print(printsJSON ? try jsonLine(result) : result.text)
  }

  /// Computes the measures. Collective; equal on all ranks.
  private func evaluate(communicator: Communicator, reporter: RunReporter) throws -> EvaluationResult {
    try communicator.together {
      guard let measure = measures.first(where: { $0.minimumCount > count }) else { return }
      throw InputError(
        "--count is \(count), but \(measure.rawValue) needs at least \(measure.minimumCount) images; draw more, or remove "
          + "it from --measures")
    }
    let model = try TrainedModel(model, communicator: communicator, reporter: reporter)
    try requireMemory(forImages: model.imageShape, communicator)
    let (drawing, network) = try communicator.together { () throws -> (ImageDrawing, any FeatureNetwork) in
      let network = try FeatureNetworks.load(features, inceptionWeights: inceptionWeights)
      try network.check(shape: model.imageShape)
      return try namingOptions {
        let conditions = try DrawConditions(classes: classes, configuration: model.configuration)
        let drawing = try ImageDrawing(
          model, conditions: conditions, seed: seed, batchSize: self.model.batch, communicator: communicator)
        return (drawing, network)
      }
    }
    try communicator.requireAlike("feature network", network.hash)
    let extraction = FeatureExtraction(network: network, communicator: communicator, workers: model.workers)
    return try extraction.evaluate(
      drawing, count: count, against: reference(model, extraction, reporter), by: measures, reporter: reporter)
  }

  /// Checks that there is memory for a rank's share of the images, which are kept until all have been drawn.
  /// Collective.
  private func requireMemory(forImages imageShape: [Int], _ communicator: Communicator) throws {
    let limits = try MemoryLimits(of: communicator)
    var need = MemoryNeed()
    let values = imageShape.reduce(1) { $0 * Double($1) }
    need.add(floats: Double(count) / Double(communicator.size) * values, for: "the --count \(count) images")
    try communicator.together { try need.require(limits) }
  }

  private func reference(
    _ model: TrainedModel, _ extraction: FeatureExtraction, _ reporter: RunReporter
  ) throws -> Reference {
    if let referenceFile {
      return try extraction.communicator.together {
        if let measure = measures.first(where: \.needsReferenceFeatures) {
          throw InputError(
            "--reference \(referenceFile) has statistics, but \(measure.rawValue) needs every image; remove it from "
              + "--measures, or compare with the data set")
        }
        let file = try StatisticsFile(readingFrom: referenceFile)
        if let provenance = StatisticsProvenance(of: file) {
          try provenance.check(referenceFile, against: extraction.network.name, extraction.network.hash)
        }
        guard file.statistics.dimension == extraction.network.featureCount else {
          throw InputError(
            "--reference \(referenceFile) has features of \(file.statistics.dimension) numbers, but those of "
              + "\(extraction.network.name) have \(extraction.network.featureCount)")
        }
        return Reference(file, path: referenceFile)
      }
    }
    let dataset = try extraction.communicator.together {
      let dataset = try model.configuration.imageDataset(
        for: "evaluate", path: dataPath, split: split, background: background)
      if let referenceCount, referenceCount > dataset.count {
        throw InputError(
          "--reference-count is \(referenceCount), but the \(split.rawValue) images of \(dataset.name) are "
            + "\(dataset.count)")
      }
      let count = referenceCount ?? dataset.count
      if let measure = measures.first(where: { $0.minimumReferenceCount > count }) {
        throw InputError(
          "\(measure.rawValue) needs at least \(measure.minimumReferenceCount) images to compare with, but there "
            + "\(count == 1 ? "is" : "are") \(count); use more, or remove it from --measures")
      }
      return dataset
    }
    return try Reference(
      dataset, split: split, count: referenceCount ?? dataset.count, measures: measures, cache: referenceCache,
      extraction: extraction, reporter: reporter)
  }
}
