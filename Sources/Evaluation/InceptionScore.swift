import RealModule

/// How confident a classifier is about each image, and how evenly the images are distributed over its classes.
///
/// exp(E_x KL(p(y|x) ‖ p(y))), between 1 and the number of classes (Salimans et al., arXiv:1606.03498, section 4). The
/// images are divided into consecutive splits, each with a p(y) of its own.
package struct InceptionScore: Codable, Sendable, Equatable {
  /// The mean over the splits.
  package let mean: Double
  /// The standard deviation of the splits' scores, with their number as divisor.
  package let standardDeviation: Double

  /// As in the paper.
  package static let usualSplitCount = 10

  /// - Parameters:
  ///   - logits: [N, K], before the softmax. Consecutive images share a split, so images must not be sorted by class.
  ///   - splitCount: 10 by default.
  /// - Throws: `EvaluationError` if there are fewer images than splits, or a logit is not finite.
  package init(logits: Features, splitCount: Int = Self.usualSplitCount) throws(EvaluationError) {
    precondition(splitCount >= 1, "there must be at least one split")
    try logits.check(minimum: splitCount, measure: "an Inception score over \(splitCount) splits")
    let scores = (0..<splitCount).map { split in
      Self.score(logits, images: split * logits.count / splitCount..<(split + 1) * logits.count / splitCount)
    }
    (mean, standardDeviation) = meanAndStandardDeviation(scores)
  }

  private static func score(_ logits: Features, images: Range<Int>) -> Double {
    let logarithms = images.map { logarithmsOfProbabilities(logits[$0]) }
    var marginal = [Double](repeating: 0, count: logits.dimension)
    for row in logarithms {
      for (label, logarithm) in row.enumerated() { marginal[label] += Double.exp(logarithm) }
    }
    let marginalLogarithms = marginal.map { Double.log($0 / Double(images.count)) }
    var divergence = 0.0
    for row in logarithms {
      for (logarithm, ofMarginal) in zip(row, marginalLogarithms) {
        let probability = Double.exp(logarithm)
        // The limit of p·log p at zero is zero.
        if probability > 0 { divergence += probability * (logarithm - ofMarginal) }
      }
    }
    return Double.exp(divergence / Double(images.count))
  }

  /// log p(y|x) = z_y − log Σ exp z, with the largest z subtracted to avoid overflow.
  private static func logarithmsOfProbabilities(_ logits: [Float]) -> [Double] {
    let largest = Double(logits.max() ?? 0)
    let normaliser = largest + Double.log(logits.reduce(0.0) { $0 + Double.exp(Double($1) - largest) })
    return logits.map { Double($0) - normaliser }
  }
}
