import Failures

/// The measures of drawn fields, computed from their values in physical units.
package enum FieldMeasure: String, EvaluationMeasure {
  case spectrum
  case crossSpectrum = "cross-spectrum"
  case histogram
  case moments
  case crps
  case spreadSkill = "spread-skill"
  case rankHistogram = "rank-histogram"

  package static let samples = "fields"

  package var summary: String {
    switch self {
    case .spectrum: "power at each wavenumber"
    case .crossSpectrum: "correlation of two variables at each wavenumber"
    case .histogram: "distribution of values"
    case .moments: "mean, standard deviation, skewness, kurtosis, minimum and maximum"
    case .crps: "continuous ranked probability score of ensembles"
    case .spreadSkill: "ratio of ensembles' spread to their error"
    case .rankHistogram: "rank of the truth among the members of its ensemble"
    }
  }

  /// Whether it compares ensembles with the truth that belongs to their condition.
  var needsEnsembles: Bool {
    switch self {
    case .crps, .spreadSkill, .rankHistogram: true
    case .spectrum, .crossSpectrum, .histogram, .moments: false
    }
  }

  /// Whether it follows from the values of a whole field together, so that none may be missing.
  private var needsWholeFields: Bool { self == .spectrum || self == .crossSpectrum }

  /// Why it cannot be computed for a model; nil if it can.
  /// - Parameters:
  ///   - variableCount: the number of drawn variables.
  ///   - members: the number of fields drawn for each condition; nil for a model without conditions.
  ///   - incompleteVariables: the names of drawn variables that may have missing values.
  func obstacle(variableCount: Int, members: Int?, incompleteVariables: [String]) -> String? {
    if needsEnsembles && members == nil {
      return "it compares ensembles with truths, but the model was trained without data.conditions"
    }
    if self == .spreadSkill && members == 1 { return "a spread needs at least 2 members" }
    if self == .crossSpectrum && variableCount < 2 { return "it needs two drawn variables, but the model has one" }
    if needsWholeFields && !incompleteVariables.isEmpty {
      return "it needs whole fields, but `ddpm-mpi pack --missing mask` replaced missing values of "
        + "\(incompleteVariables.joined(separator: ", ")) by the mean; choose other measures, such as histogram and "
        + "moments, or fill in what is missing before packing"
    }
    return nil
  }

  /// The measures with these names, or without names all that fit the model.
  /// - Throws: `InputError` for the name of something else, and for a measure that does not fit.
  static func chosen(
    _ names: [String], variableCount: Int, members: Int?, incompleteVariables: [String], style: SettingStyle
  ) throws(InputError) -> [FieldMeasure] {
    func obstacle(_ measure: FieldMeasure) -> String? {
      measure.obstacle(variableCount: variableCount, members: members, incompleteVariables: incompleteVariables)
    }
    guard !names.isEmpty else { return allCases.filter { obstacle($0) == nil } }
    let measures = try named(names, setting: style.name("measures"))
    for measure in measures {
      guard let problem = obstacle(measure) else { continue }
      throw InputError("\(style.name("measures")): \(measure.rawValue) is not possible: \(problem)")
    }
    return measures
  }
}
