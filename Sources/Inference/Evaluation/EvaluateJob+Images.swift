import Configuration
import Datasets
import Evaluation
import Failures
import FeatureNetworks
import MessagePassing
import Ranks
import Reporting

extension EvaluateJob {
  /// Draws images and measures their features. Collective; equal on all ranks.
  func evaluateImages(
    _ model: TrainedModel, _ communicator: Communicator, _ reporter: RunReporter
  ) throws -> EvaluationResult {
    let measures = try communicator.together { try imageMeasures() }
    try requireMemory(forImages: model.imageShape, communicator)
    let (drawing, network) = try communicator.together { () throws -> (ImageDrawing, any FeatureNetwork) in
      let network = try FeatureNetworks.load(features, inceptionWeights: inceptionWeights)
      try network.check(shape: model.imageShape)
      return try namingOptions { (try self.drawing(model, communicator), network) }
    }
    try communicator.requireAlike("feature network", network.hash)
    let extraction = FeatureExtraction(network: network, communicator: communicator, workers: model.workers)
    return try extraction.evaluate(
      drawing, count: count, against: reference(model, measures, extraction, reporter), by: measures,
      reporter: reporter)
  }

  private func imageMeasures() throws(InputError) -> [Measure] {
    if members != nil { throw InputError("--members is for models of fields, but this one draws images") }
    let measures = try Measure.chosen(
      self.measures, otherwise: referenceFile == nil ? Measure.allCases : Measure.usual, style: .options)
    if let measure = measures.first(where: { $0.minimumCount > count }) {
      throw InputError(
        "--count is \(count), but \(measure.rawValue) needs at least \(measure.minimumCount) images; draw more, or remove "
          + "it from --measures")
    }
    return measures
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

  private func drawing(_ model: TrainedModel, _ communicator: Communicator) throws -> ImageDrawing {
    let conditions: DrawConditions
    if model.conditionChannels > 0 {
      let dataset = try model.configuration.dataset(
        path: dataPath, split: referenceSplit(for: model), background: background)
      conditions = try self.conditions(model, from: dataset)
    } else {
      conditions = try DrawConditions(classes: classes, configuration: model.configuration)
    }
    return try ImageDrawing(
      model, conditions: conditions, seed: seed, batchSize: self.model.batch, communicator: communicator)
  }

  private func reference(
    _ model: TrainedModel, _ measures: [Measure], _ extraction: FeatureExtraction, _ reporter: RunReporter
  ) throws -> ImageReference {
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
        return ImageReference(file, path: referenceFile)
      }
    }
    let split = referenceSplit(for: model)
    let dataset = try extraction.communicator.together {
      let dataset = try model.configuration.imageDataset(
        for: "evaluate", path: dataPath, split: split, background: background)
      if let referenceCount, referenceCount > dataset.count {
        throw InputError(
          "--reference-count is \(referenceCount), but \(dataset.name) has only \(dataset.count) \(split.rawValue) "
            + "images")
      }
      let count = referenceCount ?? dataset.count
      if let measure = measures.first(where: { $0.minimumReferenceCount > count }) {
        throw InputError(
          "\(measure.rawValue) needs at least \(measure.minimumReferenceCount) images to compare with, but there "
            + "\(count == 1 ? "is" : "are") \(count); use more, or remove it from --measures")
      }
      return dataset
    }
    return try ImageReference(
      dataset, split: split, count: referenceCount ?? dataset.count, measures: measures, cache: referenceCache,
      extraction: extraction, reporter: reporter)
  }
}
