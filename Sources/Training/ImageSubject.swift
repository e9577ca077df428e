import Configuration
import Datasets
import Failures
import FeatureNetworks
import Inference
import MessagePassing
import Reporting
import Tensors

/// A run's images, which are compared with those of its data set by their features.
final class ImageSubject: EvaluationSubject {
  private let configuration: RunConfiguration
  private let extraction: FeatureExtraction
  private let images: any ImageDataset
  /// The channels that are given to the network; nil if it takes none.
  private let given: GivenFields?
  private let measures: [Measure]
  /// Created on first use.
  private var reference: ImageReference?

  init(
    _ configuration: RunConfiguration, training: any Dataset, communicator: Communicator, workers: WorkerPool
  ) throws {
    let settings = configuration.evaluation
    self.configuration = configuration
    let (network, images, given, measures) = try communicator.together {
      () throws -> (any FeatureNetwork, any ImageDataset, GivenFields?, [Measure]) in
      let measures = try Measure.chosen(settings.measures, otherwise: Measure.usual, style: .keys)
      if let measure = measures.first(where: { $0.minimumCount > settings.count }) {
        throw InputError(
          "evaluation.count is \(settings.count), but \(measure.rawValue) needs at least \(measure.minimumCount) images; "
            + "sample more, or choose other evaluation.measures")
      }
      let network = try FeatureNetworks.load(settings.features)
      try network.check(shape: training.drawnShape)
      let dataset = settings.split == .training ? training : try configuration.dataset(split: settings.split)
      guard let images = dataset.images else { preconditionFailure("a run of images has images") }
      if let count = settings.referenceCount, count > images.count {
        throw InputError(
          "evaluation.reference_count is \(count), but \(images.name) has only \(images.count) "
            + "\(settings.split.rawValue) images")
      }
      if let measure = measures.first(where: { $0.minimumReferenceCount > images.count }) {
        throw InputError(
          "evaluation.every: \(measure.rawValue) needs at least \(measure.minimumReferenceCount) reference images, "
            + "but \(images.name) has only \(images.count) \(settings.split.rawValue) images")
      }
      return (network, images, dataset.conditionChannels > 0 ? GivenFields(dataset) : nil, measures)
    }
    try communicator.requireAlike("feature network", network.hash)
    extraction = FeatureExtraction(network: network, communicator: communicator, workers: workers)
    (self.images, self.given, self.measures) = (images, given, measures)
  }

  private var settings: RunConfiguration.EvaluationSettings { configuration.evaluation }

  func evaluate(_ model: TrainedModel, reporter: RunReporter) throws -> EvaluationResult {
    let reference =
      try self.reference
      ?? ImageReference(
        images, split: settings.split, count: settings.referenceCount ?? images.count, measures: measures,
        cache: ReferenceCache(option: nil), extraction: extraction, reporter: reporter)
    self.reference = reference
    let drawing = try ImageDrawing(
      model, conditions: DrawConditions(given: given, configuration: model.configuration), seed: configuration.seed,
      communicator: extraction.communicator)
    return try extraction.evaluate(
      drawing, count: settings.count, against: reference, by: measures, reporter: reporter)
  }

  func isComparable(_ earlier: EvaluationResult) -> Bool {
    earlier.featureHash == extraction.network.hash && earlier.count == settings.count
      && earlier.referenceSplit == settings.split.rawValue
      && earlier.referenceFingerprint == ImageReference.fingerprint(of: images)
      && (settings.referenceCount == nil || earlier.referenceCount == settings.referenceCount)
  }
}
