import Reporting
import TextFormatting

/// The page's section on the newest measures of drawn fields: spectra, errors, distributions and ranks of each variable.
struct EvaluationSection {
  private let record: EvaluationRecord
  private let charts: [Chart]
  /// What is missing, a sentence each.
  let omissions: [String]

  /// A page has no more pairs of variables: there are 120 of 16.
  static let pairLimit = 12

  /// - Returns: nil if a record has no measures of fields.
  init?(_ record: EvaluationRecord) {
    guard let variables = record.variables, !variables.isEmpty else { return nil }
    self.record = record
    let pairs = record.crossSpectra ?? []
    charts =
      variables.flatMap { variable in
        [
          variable.spectrumChart, variable.errorChart, variable.histogramChart, variable.rankChart,
        ].compactMap(\.self)
      } + pairs.prefix(Self.pairLimit).compactMap(\.chart)
    omissions =
      pairs.count > Self.pairLimit
      ? ["Of \(pairs.count) pairs of variables, the page shows the correlations of \(Self.pairLimit)."] : []
  }

  var html: HTML {
    let rows = (record.variables ?? []).map { variable -> HTML in
      let crps = variable.crps.map { $0.fair ?? $0.standard }
      return """
        <tr><td>\(variable.label)</td><td>\(Self.percent(variable.spectrum?.error))</td>\
        <td>\(Self.number(variable.histogram?.distance))</td><td>\(Self.number(crps))</td>\
        <td>\(Self.number(variable.spreadSkill?.ratio))</td></tr>

        """
    }
    return """
      <section id="evaluation"><h2>Drawn fields after step \(ProgressFormat.count(record.step))</h2>
      <div class="scroll"><table><thead><tr><th>Variable</th><th>Spectrum error</th><th>Histogram distance</th>\
      <th>CRPS</th><th>Spread/skill</th></tr></thead>
      <tbody>
      \(HTML.joined(rows))</tbody></table></div>
      <p class="legend"><svg class="key" width="24" height="10" aria-hidden="true"><line class="drawn" x1="0" x2="24" \
      y1="5" y2="5"/></svg> model <svg class="key" width="24" height="10" aria-hidden="true"><line class="reference" \
      x1="0" x2="24" y1="5" y2="5"/></svg> data, or what is expected</p>
      <div class="curves">
      \(HTML.joined(charts.enumerated().map { $1.html("chart-\($0)") }))</div></section>

      """
  }

  fileprivate static func percent(_ share: Double?) -> String { share.map { number(100 * $0) + "%" } ?? "" }
  fileprivate static func number(_ value: Double?) -> String { value.map { String(printf: "%.3g", $0) } ?? "" }
}

extension EvaluationRecord.Variable {
  fileprivate var label: String { ["", "1"].contains(units) ? name : "\(name), \(units)" }

  /// Power against wavenumber, both logarithmic.
  fileprivate var spectrumChart: Chart? {
    guard let spectrum, let x = wavenumberAxis(spectrum.reference.count) else { return nil }
    return Chart(
      "\(name): power spectrum", across: "wavenumber", x: x, scale: .logarithmic,
      lines: [
        Chart.Line(role: .reference, points: byWavenumber(spectrum.reference)),
        Chart.Line(role: .drawn, points: byWavenumber(spectrum.drawn)),
      ], summary: spectrum.error.map { "Root mean square error \(EvaluationSection.percent($0))." } ?? "")
  }

  fileprivate var errorChart: Chart? {
    guard let spectrum, let x = wavenumberAxis(spectrum.relativeErrors.count) else { return nil }
    return Chart(
      "\(name): relative error of the power", across: "wavenumber", x: x, including: 0,
      lines: [
        Chart.Line(role: .reference, points: [(x: x.range.lowerBound, y: 0), (x: x.range.upperBound, y: 0)]),
        Chart.Line(role: .drawn, points: byWavenumber(spectrum.relativeErrors)),
      ], summary: "Model's power divided by the data's, less 1.")
  }

  /// The share of values in each bin, divided by its width.
  fileprivate var histogramChart: Chart? {
    guard let histogram, let first = histogram.edges.first, let last = histogram.edges.last, first < last else {
      return nil
    }
    return Chart(
      "\(name): distribution of values", across: units.isEmpty ? name : label,
      x: (axis: Axis.linear(covering: first...last), range: first...last), including: 0,
      lines: [
        Chart.Line(role: .reference, points: steps(histogram.reference, histogram.edges)),
        Chart.Line(role: .drawn, points: steps(histogram.drawn, histogram.edges)),
      ], summary: "Probability density; the distributions are \(EvaluationSection.number(histogram.distance)) apart.")
  }

  /// The share of each rank of the truth, beside equal ones.
  fileprivate var rankChart: Chart? {
    guard let counts = rankHistogram?.counts, counts.count > 1 else { return nil }
    let edges = (0...counts.count).map(Double.init)
    let (last, share) = (Double(counts.count), 1 / Double(counts.count))
    return Chart(
      "\(name): rank of the truth among the members", across: "rank",
      x: (axis: Axis.linear(covering: 0...last), range: 0...last), including: 0,
      lines: [
        Chart.Line(role: .reference, points: [(x: 0, y: share), (x: last, y: share)]),
        Chart.Line(role: .drawn, points: steps(counts, edges)),
      ], summary: "High at both ends: the ensembles are too narrow. High in the middle: they are too wide.")
  }
}

extension EvaluationRecord.CrossSpectra {
  fileprivate var chart: Chart? {
    guard let x = wavenumberAxis(reference.count) else { return nil }
    return Chart(
      "\(first) and \(second): correlation", across: "wavenumber", x: x, including: 0,
      lines: [
        Chart.Line(role: .reference, points: byWavenumber(reference)),
        Chart.Line(role: .drawn, points: byWavenumber(drawn)),
      ], summary: error.map { "Root mean square difference \(EvaluationSection.number($0))." } ?? "")
  }
}

/// A logarithmic axis of the wavenumbers from 1; nil if there are not two.
private func wavenumberAxis(_ count: Int) -> (axis: Axis, range: ClosedRange<Double>)? {
  guard count > 2 else { return nil }
  let range = 1...Double(count - 1)
  return Axis.logarithmic(covering: range).map { (axis: $0, range: range) }
}

private func byWavenumber(_ values: [Double?]) -> [(x: Double, y: Double?)] {
  values.enumerated().map { (x: Double($0), y: $1) }
}

/// The outline of a histogram with density 1 in all.
private func steps(_ counts: [Int], _ edges: [Double]) -> [(x: Double, y: Double?)] {
  let total = counts.reduce(0.0) { $0 + Double($1) }
  return zip(counts, zip(edges, edges.dropFirst())).flatMap { count, bin in
    let density = Double(count) / (total * (bin.1 - bin.0))
    return [(x: bin.0, y: density), (x: bin.1, y: density)]
  }
}
