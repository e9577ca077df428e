import Datasets
import FieldMeasures
import TextFormatting

// Each measure: how it is stored, computed, summarised and printed.

extension FieldEvaluationResult {
  /// The measures of one variable.
  package struct Variable: Codable, Sendable, Equatable {
    package var name: String
    package var units: String
    package var spectrum: Spectrum?
    package var histogram: Histograms?
    package var moments: MomentPair?
    package var crps: CRPS?
    /// The fair CRPS, or for one member the standard one, divided by the standard deviation of the reference.
    package var relativeCRPS: Double?
    package var spreadSkill: SpreadSkill?
    package var rankHistogram: RankHistogram?

    init(name: String, units: String) {
      self.name = name
      self.units = units
    }

    /// In files they are in snake_case (`jsonLine`).
    private enum CodingKeys: String, CodingKey {
      case name, units, spectrum, histogram, moments, crps, spreadSkill, rankHistogram
      case relativeCRPS = "relativeCrps"
    }
  }

  /// The power at each wavenumber.
  package struct Spectrum: Codable, Sendable, Equatable {
    /// In the square of the variable's unit.
    package var drawn: [Double]
    package var reference: [Double]
    /// drawn / reference − 1; nil where the reference has no power.
    package var relativeErrors: [Double?]
    /// The number of modes at each wavenumber.
    package var modeCounts: [Int]
    /// The root mean square of the relative errors at the wavenumbers that matter; nil if there are none.
    package var error: Double?
    /// The largest magnitude of these errors, and its wavenumber.
    package var largestError: Double?
    package var largestErrorWavenumber: Int?

    init(_ drawn: PowerSpectrum, reference: PowerSpectrum) throws {
      (self.drawn, self.reference) = (drawn.power, reference.power)
      relativeErrors = try drawn.relativeErrors(to: reference)
      modeCounts = reference.modeCounts
      let errors = significantWavenumbers(reference).compactMap { k in relativeErrors[k].map { (k: k, value: $0) } }
      error = rootMeanSquare(errors.map { $0.value })
      let largest = errors.max { abs($0.value) < abs($1.value) }
      largestError = largest.map { abs($0.value) }
      largestErrorWavenumber = largest?.k
    }
  }

  /// The counts of values between edges.
  package struct Histograms: Codable, Sendable, Equatable {
    package var edges: [Double]
    package var drawn: [Int]
    package var reference: [Int]
    /// The numbers of drawn values below the first edge and above the last one.
    package var drawnBelow: Int
    package var drawnAbove: Int
    /// The Wasserstein-1 distance of the histograms, in the variable's unit.
    package var distance: Double
    /// The distance divided by the standard deviation of the reference; nil for a constant.
    package var relativeDistance: Double?

    init(_ drawn: Histogram, reference: Histogram, standardDeviation: Double) throws {
      edges = reference.edges
      (self.drawn, self.reference) = (drawn.counts, reference.counts)
      (drawnBelow, drawnAbove) = (drawn.below, drawn.above)
      distance = try drawn.wassersteinDistance(to: reference)
      relativeDistance = standardDeviation > 0 ? distance / standardDeviation : nil
    }
  }

  package struct MomentPair: Codable, Sendable, Equatable {
    package var drawn: Moments
    package var reference: Moments
  }

  /// The correlation of two variables at each wavenumber, from −1 to 1; nil where one has no power.
  package struct CrossSpectra: Codable, Sendable, Equatable {
    /// The names of the variables.
    package var first: String
    package var second: String
    package var drawn: [Double?]
    package var reference: [Double?]
    /// The co-spectra, in the product of the variables' units.
    package var drawnCoSpectrum: [Double]
    package var referenceCoSpectrum: [Double]
    /// The root mean square difference of the correlations at the wavenumbers that matter; nil if there are none.
    package var error: Double?

    init(_ drawn: CrossSpectrum, reference: CrossSpectrum, spectra: [PowerSpectrum], names: [String]) {
      let (one, other) = (reference.channels.first, reference.channels.second)
      (first, second) = (names[one], names[other])
      (self.drawn, self.reference) = (drawn.correlation, reference.correlation)
      (drawnCoSpectrum, referenceCoSpectrum) = (drawn.coSpectrum, reference.coSpectrum)
      let significant = significantWavenumbers(spectra[one]).filter(significantWavenumbers(spectra[other]).contains)
      let differences = significant.compactMap { k -> Double? in
        guard let own = drawn.correlation[k], let real = reference.correlation[k] else { return nil }
        return own - real
      }
      error = rootMeanSquare(differences)
    }
  }

  /// Adds measures of fields.
  ///
  /// - Parameters:
  ///   - variables: what the channels are.
  ///   - reference: with histograms of the same edges as those of `drawn`.
  ///   - ensembles: for the measures that need them; nil for a model without conditions.
  /// - Throws: `FieldMeasureError` if there are no fields, or too few members.
  package mutating func add(
    _ measures: [FieldMeasure], of variables: [FieldVariable], drawn: FieldDistribution, reference: FieldDistribution,
    ensembles: EnsembleSums? = nil
  ) throws {
    for (channel, variable) in variables.enumerated() {
      var measured = Variable(name: variable.name, units: variable.units)
      let sigma = reference.moments[channel].standardDeviation
      if measures.contains(.spectrum) {
        measured.spectrum = try Spectrum(drawn.spectra[channel], reference: reference.spectra[channel])
      }
      if measures.contains(.histogram) {
        measured.histogram = try Histograms(
          drawn.histograms[channel], reference: reference.histograms[channel], standardDeviation: sigma)
      }
      if measures.contains(.moments) {
        measured.moments = MomentPair(drawn: drawn.moments[channel], reference: reference.moments[channel])
      }
      if let ensembles {
        if measures.contains(.crps) {
          let crps = try CRPS(ensembles, channel: channel)
          measured.crps = crps
          measured.relativeCRPS = sigma > 0 ? (crps.fair ?? crps.standard) / sigma : nil
        }
        if measures.contains(.spreadSkill) { measured.spreadSkill = try SpreadSkill(ensembles, channel: channel) }
        if measures.contains(.rankHistogram) {
          measured.rankHistogram = try RankHistogram(ensembles, channel: channel)
        }
      }
      self.variables.append(measured)
    }
    for (own, real) in zip(drawn.crossSpectra, reference.crossSpectra) {
      crossSpectra.append(
        CrossSpectra(own, reference: real, spectra: reference.spectra, names: variables.map(\.name)))
    }
  }

  package static let relativeCRPSName = "relative_crps"
  package static let scoreNames = [relativeCRPSName, "spectrum_error"]

  /// Means over the variables.
  package var numbers: [(name: String, value: Double)] {
    let all: [(String, Double?)] = [
      ("spectrum_error", mean(variables.map(\.spectrum?.error))),
      ("cross_spectrum_error", mean(crossSpectra.map(\.error))),
      ("histogram_distance", mean(variables.map(\.histogram?.relativeDistance))),
      (Self.relativeCRPSName, mean(variables.map(\.relativeCRPS))),
      ("spread_skill", mean(variables.map(\.spreadSkill?.ratio))),
    ]
    return all.compactMap { name, value in value.map { (name, $0) } }
  }
}

extension FieldEvaluationResult.Variable {
  /// The measures for users.
  var lines: [String] {
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
  /// The measure for users.
  var line: String {
    "correlation of \(first) and \(second): "
      + (error.map { "error \(number($0)) (root mean square over wavenumbers)" } ?? "without power")
  }
}

/// Four significant digits.
private func number(_ value: Double) -> String { String(printf: "%.4g", value) }

private func percent(_ share: Double) -> String { String(printf: "%.3g%%", 100 * share) }

/// The wavenumbers from 1 on where the reference has at least a millionth of its largest power. Beyond them, as in data
/// that were smoothed, there is little but rounding, and a relative error says nothing.
private func significantWavenumbers(_ reference: PowerSpectrum) -> [Int] {
  let power = reference.power
  guard power.count > 1, let largest = power[1...].max(), largest > 0 else { return [] }
  return (1..<power.count).filter { power[$0] >= 1e-6 * largest }
}

private func rootMeanSquare(_ values: [Double]) -> Double? {
  mean(values.map { $0 * $0 }).map { $0.squareRoot() }
}

/// The mean of those values that there are.
private func mean(_ values: [Double?]) -> Double? {
  let values = values.compactMap(\.self)
  return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
}
