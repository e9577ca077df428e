import FieldMeasures
import Reporting
import TextFormatting

extension FieldEvaluationResult {
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
}

extension FieldEvaluationResult.Variable {
  fileprivate var lines: [String] {
    var lines = [["", "1"].contains(units) ? name : "\(name), \(units)"]
    func add(_ label: String, _ text: String) {
      lines.append("  " + label.padded(to: 20) + text)
    }
    if let spectrum, let error = spectrum.error, let largest = spectrum.largestError,
      let wavenumber = spectrum.largestErrorWavenumber
    {
      add("spectrum error", "\(percent(error)), largest \(percent(largest)) at wavenumber \(wavenumber)")
    }
    if let histogram { add("histogram distance", number(histogram.distance)) }
    if let moments {
      func addMoment(_ label: String, _ value: (Moments) -> Double?) {
        func text(_ moments: Moments) -> String { value(moments).map(number) ?? "none" }
        add(label, "\(text(moments.drawn)), reference \(text(moments.reference))")
      }
      addMoment("mean") { $0.mean }
      addMoment("standard deviation") { $0.standardDeviation }
      addMoment("skewness") { $0.skewness }
      addMoment("excess kurtosis") { $0.excessKurtosis }
      addMoment("minimum") { $0.minimum }
      addMoment("maximum") { $0.maximum }
    }
    if let crps { add("CRPS", number(crps.standard) + (crps.fair.map { ", fair \(number($0))" } ?? "")) }
    if let spreadSkill {
      let ratio = spreadSkill.ratio.map(number) ?? "none"
      add("spread/skill", "\(ratio), spread \(number(spreadSkill.spread)), error \(number(spreadSkill.error))")
    }
    if let rankHistogram {
      let total = max(1, rankHistogram.counts.reduce(0, +))
      let shares = rankHistogram.counts.map { percent(Double($0) / Double(total)) }
      add("ranks of the truth", shares.joined(separator: " "))
    }
    return lines
  }
}

extension FieldEvaluationResult.CrossSpectra {
  fileprivate var line: String {
    "correlation of \(first) and \(second): "
      + (error.map { "error \(number($0)) (root mean square over wavenumbers)" } ?? "without power")
  }
}

/// Four significant digits.
private func number(_ value: Double) -> String { String(printf: "%.4g", value) }

private func percent(_ share: Double) -> String { String(printf: "%.3g%%", 100 * share) }
