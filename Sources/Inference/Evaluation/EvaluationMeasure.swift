import Failures

/// The measures of one kind of samples, known by their names.
package protocol EvaluationMeasure: RawRepresentable, CaseIterable, Codable, Sendable where RawValue == String {
  /// The samples that they measure, in the plural.
  static var samples: String { get }
  /// What it is, for help.
  var summary: String { get }
}

extension EvaluationMeasure {
  /// The measures with these names.
  /// - Parameter setting: what gives the names, for messages.
  /// - Throws: `InputError` for the name of something else.
  static func named(_ names: [String], setting: String) throws(InputError) -> [Self] {
    var measures: [Self] = []
    for name in names {
      guard let measure = Self(rawValue: name) else {
        throw InputError(
          "\(setting): \(name) is not a measure of \(samples), which this model draws; their measures are "
            + allCases.map(\.rawValue).joined(separator: ", "))
      }
      measures.append(measure)
    }
    return measures
  }
}

/// The measures of all kinds of samples.
package enum MeasureNames {
  package static let all = Measure.allCases.map(\.rawValue) + FieldMeasure.allCases.map(\.rawValue)
}

/// How messages call the settings of an evaluation: by a command's options, or by a run's keys.
package enum SettingStyle: Sendable {
  case options
  case keys

  /// - Parameter key: the last part of the key, such as `reference_count`.
  func name(_ key: String) -> String {
    switch self {
    case .options: "--" + key.replacing("_", with: "-")
    case .keys: "evaluation." + key
    }
  }
}

/// Measures of drawn samples, with everything that they depend on.
package protocol EvaluationReport: Codable, Sendable {
  /// The training steps of the checkpoint.
  var trainingSteps: Int { get }
  /// The result for users.
  var text: String { get }
  /// The measures, with their names in files.
  var numbers: [(name: String, value: Double)] { get }
  /// The names of measures by which the best checkpoint is chosen, smaller is better: the first of them that there is.
  static var scoreNames: [String] { get }
}

extension EvaluationReport {
  /// What the best checkpoint is chosen by: smaller is better.
  package var score: (name: String, value: Double)? {
    let numbers = numbers
    return Self.scoreNames.lazy.compactMap { name in numbers.first { $0.name == name } }.first
  }
}
