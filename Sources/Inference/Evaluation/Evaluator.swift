import Evaluation
import FeatureNetworks
import MessagePassing
import Reporting

/// Draws images from a network and compares them with a reference.
public struct Evaluator: Sendable {
  public let extraction: FeatureExtraction
  public let reference: Reference
  public let measures: [Measure]
  /// The number of images to draw.
  public let count: Int

  public init(extraction: FeatureExtraction, reference: Reference, measures: [Measure], count: Int) {
    self.extraction = extraction
    self.reference = reference
    self.measures = measures
    self.count = count
  }

  /// Collective; bit-identical on all ranks and for any number of ranks.
  ///
  /// - Throws: `JobFailure` on all ranks if an image is not finite, or there are too few images for a measure.
  public func evaluate(_ drawing: ImageDrawing, reporter: RunReporter) throws -> EvaluationResult {
    let drawn = try drawing.drawShare(of: count) { done, steps in
      reporter.show(SamplingProgress(imageCount: count, step: done, stepCount: steps), isMilestone: false)
    }
    let bytes = quantise(drawn.images)
    let first = drawing.communicator.share(of: count).lowerBound
    let (model, shape) = (drawing.model, drawing.model.imageShape)
    let size = shape.reduce(1, *)
    let share = try extraction.extract(count: count, shape: shape) { range, target in
      target.copy(bytes[(range.lowerBound - first) * size..<(range.upperBound - first) * size])
    }
    var result = EvaluationResult(
      features: extraction.network.name, featureHash: extraction.network.hash, count: count,
      reference: reference.name, referenceSplit: reference.split?.rawValue, referenceCount: reference.count,
      referenceFingerprint: reference.fingerprint, sampler: model.samplerName.rawValue,
      steps: drawing.sampler.stepCount, evaluations: drawn.evaluations,
      seed: drawing.seed, weights: model.origin.weights.rawValue, checkpoint: model.origin.checkpoint,
      trainingSteps: model.origin.trainingSteps)
    try measure(share, &result)
    return result
  }

  /// Computes the measures. Collective; rank 0 computes those that need all features.
  private func measure(_ share: FeatureExtraction.Share, _ result: inout EvaluationResult) throws {
    let communicator = extraction.communicator
    let workers = extraction.workers
    let statistics =
      measures.contains(.fid)
      ? try FeatureStatistics(share: share.features, of: count, over: communicator, workers: workers) : nil
    let logits =
      measures.contains(.inceptionScore)
      ? try Features(gathering: share.logits, of: count, over: communicator) : nil
    let features =
      measures.contains(where: \.needsReferenceFeatures)
      ? try Features(gathering: share.features, of: count, over: communicator) : nil
    let local = result
    let filled = try communicator.together { () throws -> EvaluationResult in
      try FaultPoint.evaluate.pass(rank: communicator.rank)
      var result = local
      guard communicator.rank == 0 else { return result }
      if let statistics, let real = reference.contents?.statistics {
        result.fid = try FrechetDistance(statistics, real).value
      }
      if let logits {
        let score = try InceptionScore(logits: logits)
        (result.inceptionScore, result.inceptionScoreStandardDeviation) = (score.mean, score.standardDeviation)
      }
      if let features, let real = reference.contents?.features {
        if measures.contains(.kid) {
          let size = min(1000, features.count, real.count)
          let distance = try KernelDistance(features, real, subsetSize: size, seed: result.seed, workers: workers)
          (result.kid, result.kidStandardDeviation, result.kidSubsetSize) = (
            distance.mean, distance.standardDeviation, size
          )
        }
        if measures.contains(.precisionRecall) {
          let found = try PrecisionRecall(generated: features, real: real, workers: workers)
          (result.precision, result.recall) = (found.precision, found.recall)
        }
      }
      return result
    }
    result = try communicator.broadcast(encoding: filled, from: 0)
  }
}
