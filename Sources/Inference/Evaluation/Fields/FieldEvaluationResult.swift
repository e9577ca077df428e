import Reporting

/// Measures of drawn fields beside those of reference fields, with everything that they depend on. Arrays over
/// wavenumbers begin with |k| = 0, in cycles per domain (`Shells`).
package struct FieldEvaluationResult: EvaluationReport, Equatable {
  package var variables: [Variable] = []
  package var crossSpectra: [CrossSpectra] = []

  /// The number of drawn fields, or of conditions.
  package var count: Int
  /// The number of fields drawn for each condition; nil for a model without conditions.
  package var members: Int?
  /// The data set.
  package var reference: String
  package var referenceSplit: String
  package var referenceCount: Int
  /// The fingerprint of the reference's data set, 16 hexadecimal digits.
  package var referenceFingerprint: String
  package var sampler: String
  /// The sampler's steps; nil if it chooses them by the error.
  package var steps: Int?
  /// Network evaluations per field, the maximum over all fields.
  package var evaluations: Int
  package var seed: UInt64
  package var weights: String
  package var checkpoint: String
  /// The training steps of the checkpoint.
  package var trainingSteps: Int

  /// Without measures yet.
  package init(
    count: Int, members: Int?, reference: String, referenceSplit: String, referenceCount: Int,
    referenceFingerprint: String, sampler: String, steps: Int?, evaluations: Int, seed: UInt64, weights: String,
    checkpoint: String, trainingSteps: Int
  ) {
    self.count = count
    self.members = members
    self.reference = reference
    self.referenceSplit = referenceSplit
    self.referenceCount = referenceCount
    self.referenceFingerprint = referenceFingerprint
    self.sampler = sampler
    self.steps = steps
    self.evaluations = evaluations
    self.seed = seed
    self.weights = weights
    self.checkpoint = checkpoint
    self.trainingSteps = trainingSteps
  }

  /// The result for users.
  package var text: String {
    let inSteps = steps.map { " in \(ProgressFormat.count($0, of: "step"))" } ?? ""
    let drawn =
      members.map { "\(ProgressFormat.count(count)) x \(ProgressFormat.count($0, of: "field"))" }
      ?? ProgressFormat.count(count, of: "field")
    let settings =
      "\(drawn) by \(sampler)\(inSteps), seed \(seed), \(weights) weights of \(checkpoint), against "
      + "\(ProgressFormat.count(referenceCount)) \(referenceSplit) fields of \(reference)"
    return (variables.flatMap(\.lines) + crossSpectra.map(\.line) + [settings]).joined(separator: "\n")
  }

  /// In files they are in snake_case (`jsonLine`).
  private enum CodingKeys: String, CodingKey {
    case variables, crossSpectra, count, members
    case reference, referenceSplit, referenceCount, referenceFingerprint
    case sampler, steps, evaluations, seed, weights, checkpoint
    case trainingSteps = "step"
  }
}
