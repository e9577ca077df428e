import Evaluation
import Failures

/// The measures of drawn images, computed from their features and logits.
package enum Measure: String, EvaluationMeasure {
  case fid
  case inceptionScore = "is"
  case kid
  case precisionRecall = "pr"

  package static let samples = "images"

  package var summary: String {
    switch self {
    case .fid: "Frechet distance"
    case .inceptionScore: "Inception score"
    case .kid: "kernel distance"
    case .precisionRecall: "precision and recall"
    }
  }

  /// Those that need only statistics of the reference.
  package static let usual: [Measure] = [.fid, .inceptionScore]

  /// The measures with these names, or without names others.
  /// - Throws: `InputError` for the name of something else.
  package static func chosen(
    _ names: [String], otherwise: [Measure], style: SettingStyle
  ) throws(InputError) -> [Measure] {
    names.isEmpty ? otherwise : try named(names, setting: style.name("measures"))
  }

  /// Whether it needs the features of every image of the reference.
  var needsReferenceFeatures: Bool { self == .kid || self == .precisionRecall }

  /// The minimum number of images to draw.
  package var minimumCount: Int {
    switch self {
    case .fid, .kid: 2
    case .inceptionScore: InceptionScore.usualSplitCount
    case .precisionRecall: PrecisionRecall.usualNeighbourCount + 1
    }
  }

  /// The minimum number of images to compare with; 0 if it does not use any.
  package var minimumReferenceCount: Int { self == .inceptionScore ? 0 : minimumCount }
}
