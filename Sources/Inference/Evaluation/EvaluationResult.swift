import Reporting
import TextFormatting

/// Measures of drawn images, with everything that they depend on.
package struct EvaluationResult: EvaluationReport, Equatable {
  package var fid: Double?
  package var inceptionScore: Double?
  package var inceptionScoreStandardDeviation: Double?
  package var kid: Double?
  package var kidStandardDeviation: Double?
  package var kidSubsetSize: Int?
  package var precision: Double?
  package var recall: Double?

  /// The feature network, and the checksum of its weights.
  package var features: String
  package var featureHash: String
  /// The number of drawn images.
  package var count: Int
  /// The data set, or the file of statistics.
  package var reference: String
  package var referenceSplit: String?
  package var referenceCount: Int?
  /// The fingerprint of the reference's data set, 16 hexadecimal digits.
  package var referenceFingerprint: String?
  package var sampler: String
  /// The sampler's steps; nil if it chooses them by the error.
  package var steps: Int?
  /// Network evaluations per image, the maximum over all images.
  package var evaluations: Int
  package var seed: UInt64
  package var weights: String
  package var checkpoint: String
  /// The training steps of the checkpoint.
  package var trainingSteps: Int

  /// The minimum number of images used in papers; most use 50,000. Measures of few images are biased, and measures of
  /// different numbers of images are not comparable.
  static let comparableCount = 10_000

  static let incomparableRemark =
    "Not comparable with published results: fewer than \(ProgressFormat.count(comparableCount)) images."

  package static let scoreNames = ["fid"]

  /// The measures, with their names in files.
  package var numbers: [(name: String, value: Double)] {
    let all: [(String, Double?)] = [
      ("fid", fid), ("inception_score", inceptionScore),
      ("inception_score_deviation", inceptionScoreStandardDeviation), ("kid", kid),
      ("kid_deviation", kidStandardDeviation), ("precision", precision), ("recall", recall),
    ]
    return all.compactMap { name, value in value.map { (name, $0) } }
  }

  /// The result for users.
  package var text: String {
    var lines: [String] = []
    func add(_ name: String, _ value: Double?, _ standardDeviation: Double? = nil, places: Int) {
      guard let value else { return }
      let spread = standardDeviation.map { " ± " + String(printf: "%.\(places)f", $0) } ?? ""
      let label = "\(name)[\(features)]".padded(to: features.count + 12)
      lines.append(label + String(printf: "%.\(places)f", value) + spread)
    }
    add("FID", fid, places: 3)
    add("IS", inceptionScore, inceptionScoreStandardDeviation, places: 3)
    add("KID", kid, kidStandardDeviation, places: 6)
    add("precision", precision, places: 4)
    add("recall", recall, places: 4)
    let inSteps = steps.map { " in \(ProgressFormat.count($0, of: "step"))" } ?? ""
    let counted = referenceCount.map { ProgressFormat.count($0) }
    let compared = [counted, referenceSplit, counted.map { _ in "images of" }, reference].compactMap(\.self)
    lines.append(
      "\(ProgressFormat.count(count, of: "image")) by \(sampler)\(inSteps), seed \(seed), \(weights) weights of "
        + "\(checkpoint), against \(compared.joined(separator: " ")); features \(featureHash)")
    if min(count, referenceCount ?? .max) < Self.comparableCount { lines.append(Self.incomparableRemark) }
    return lines.joined(separator: "\n")
  }
}

extension EvaluationResult {
  /// In files they are in snake_case (`jsonLine`).
  private enum CodingKeys: String, CodingKey {
    case fid, inceptionScore, kid, kidSubsetSize, precision, recall
    case features, featureHash, count, reference, referenceSplit, referenceCount, referenceFingerprint
    case sampler, steps, evaluations, seed, weights, checkpoint
    case inceptionScoreStandardDeviation = "inceptionScoreDeviation"
    case kidStandardDeviation = "kidDeviation"
    case trainingSteps = "step"
  }
}
