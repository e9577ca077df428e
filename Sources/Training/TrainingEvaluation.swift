import Configuration
import Datasets
import Evaluation
import Failures
import FeatureNetworks
import Files
import Inference
import MessagePassing
import Network
import Reporting
import Tensors

/// Evaluates a run's images at intervals, against the data that it is trained on. All calls are collective.
final class TrainingEvaluation {
  private let settings: RunConfiguration.EvaluationSettings
  private let extraction: FeatureExtraction
  private let dataset: any ImageDataset
  private let reporter: RunReporter
  /// Created on first use.
  private var reference: Reference?
  /// The smallest distance so far, among the steps that the run continues from.
  private var best: Double?
  private var file: AppendedFile?
  private static let measures: [Measure] = [.fid, .inceptionScore]

  /// Checks everything that can be checked before training; nil if nothing is to be measured.
  /// - Parameters:
  ///   - training: the training images.
  ///   - step: the step that the run continues from.
  /// - Throws: `JobFailure` on all ranks if the feature network is not available, or there are too few images to
  ///   compare with.
  init?(
    _ configuration: RunConfiguration, training: any Dataset, folder: RunFolder, after step: Int,
    communicator: Communicator, workers: WorkerPool, reporter: RunReporter
  ) throws {
    let settings = configuration.evaluation
    if settings.every == nil { return nil }
    let (network, dataset) = try communicator.together { () throws -> (any FeatureNetwork, any ImageDataset) in
      let network = try FeatureNetworks.load(settings.features)
      guard let images = training.images else {
        throw InputError("evaluation.every needs images, but \(training.name) has fields; set it to none")
      }
      try network.check(shape: images.imageShape)
      let dataset =
        settings.split == .training
        ? images : try configuration.imageDataset(for: "evaluation.every", split: settings.split)
      if let count = settings.referenceCount, count > dataset.count {
        throw InputError(
          "evaluation.reference_count is \(count), but the \(settings.split.rawValue) images of \(dataset.name) are "
            + "\(dataset.count)")
      }
      if let measure = Self.measures.first(where: { $0.minimumReferenceCount > dataset.count }) {
        throw InputError(
          "evaluation.every: \(measure.rawValue) needs at least \(measure.minimumReferenceCount) reference images, "
            + "but the \(settings.split.rawValue) images of \(dataset.name) are \(dataset.count)")
      }
      return (network, dataset)
    }
    try communicator.requireAlike("feature network", network.hash)
    extraction = FeatureExtraction(network: network, communicator: communicator, workers: workers)
    self.settings = settings
    self.dataset = dataset
    self.reporter = reporter
    try communicator.onRankZero {
      best = Self.best(in: folder.evaluationsPath, before: step, features: network.hash, of: dataset, settings)
      file = try AppendedFile(path: folder.evaluationsPath)
    }
  }

  /// Draws images and measures them.
  /// - Returns: the measures, equal on all ranks, and on rank 0 whether the distance is the smallest so far.
  func evaluate(_ drawing: ImageDrawing) throws -> (result: EvaluationResult, isBest: Bool) {
    let reference =
      try self.reference
      ?? Reference(
        dataset, split: settings.split, count: settings.referenceCount ?? dataset.count, measures: Self.measures,
        cache: ReferenceCache(option: nil), extraction: extraction, reporter: reporter)
    self.reference = reference
    let result = try extraction.evaluate(
      drawing, count: settings.count, against: reference, by: Self.measures, reporter: reporter)
    guard extraction.communicator.rank == 0, let fid = result.fid else { return (result, false) }
    reporter.log.warnIfUnwritten { try file?.append((try jsonLine(result) + "\n").utf8) }
    let isBest = best.map { fid < $0 } ?? true
    if isBest { best = fid }
    return (result, isBest)
  }

  /// The smallest distance among earlier results that were measured in the same way against the same images; nil if
  /// there is none. Lines that a crash truncated are skipped.
  private static func best(
    in path: String, before step: Int, features hash: String, of dataset: any ImageDataset,
    _ settings: RunConfiguration.EvaluationSettings
  ) -> Double? {
    guard let bytes = try? readBytes(at: path) else { return nil }
    let results: [EvaluationResult] = bytes.split(separator: UInt8(ascii: "\n")).compactMap { value(ofJSONLine: $0) }
    return results.filter {
      $0.trainingSteps <= step && $0.featureHash == hash && $0.count == settings.count
        && $0.referenceSplit == settings.split.rawValue
        && $0.referenceFingerprint == Reference.fingerprint(of: dataset)
        && (settings.referenceCount == nil || $0.referenceCount == settings.referenceCount)
    }.compactMap(\.fid).min()
  }
}
