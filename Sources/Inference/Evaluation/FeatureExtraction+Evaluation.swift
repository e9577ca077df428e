import Evaluation
import FeatureNetworks
import MessagePassing
import Reporting

extension FeatureExtraction {
  /// Draws `count` images and compares them with a reference. Collective; bit-identical on all ranks and for any number
  /// of ranks.
  ///
  /// - Throws: `JobFailure` on all ranks if an image is not finite, or there are too few images for a measure.
  package func evaluate(
    _ drawing: ImageDrawing, count: Int, against reference: ImageReference, by measures: [Measure],
    reporter: RunReporter
  ) throws -> EvaluationResult {
    let drawn = try drawing.drawShare(of: count, reporter: reporter)
    let bytes = quantise(drawn.images)
    let first = communicator.share(of: count).lowerBound
    let (model, shape) = (drawing.model, drawing.model.imageShape)
    let size = shape.reduce(1, *)
    let share = try extract(count: count, shape: shape) { range, target in
      target.copy(bytes[(range.lowerBound - first) * size..<(range.upperBound - first) * size])
    }
    let result = EvaluationResult(
      features: network.name, featureHash: network.hash, count: count, reference: reference.name,
      referenceSplit: reference.split?.rawValue, referenceCount: reference.count,
      referenceFingerprint: reference.fingerprint, sampler: model.samplerName.rawValue,
      steps: drawing.sampler.stepCount, evaluations: drawn.evaluations, seed: drawing.seed,
      weights: model.origin.weights.rawValue, checkpoint: model.origin.checkpoint,
      trainingSteps: model.origin.trainingSteps)
    return try adding(measures, of: share, against: reference, to: result)
  }

  /// Adds the measures to a result. Collective; rank 0 computes those that need all features.
  private func adding(
    _ measures: [Measure], of share: Share, against reference: ImageReference, to result: EvaluationResult
  ) throws -> EvaluationResult {
    let count = result.count
    let statistics =
      measures.contains(.fid)
      ? try FeatureStatistics(share: share.features, of: count, over: communicator, workers: workers) : nil
    let logits =
      measures.contains(.inceptionScore)
      ? try Features(gathering: share.logits, of: count, over: communicator) : nil
    let features =
      measures.contains(where: \.needsReferenceFeatures)
      ? try Features(gathering: share.features, of: count, over: communicator) : nil
    let complete = try communicator.together { () throws -> EvaluationResult in
      try FaultPoint.evaluate.pass(rank: communicator.rank)
      var result = result
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
    return try communicator.broadcast(encoding: complete, from: 0)
  }
}
