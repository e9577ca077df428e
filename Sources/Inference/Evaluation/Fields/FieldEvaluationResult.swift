import FieldMeasures
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

  /// In files they are in snake_case (`jsonLine`).
  private enum CodingKeys: String, CodingKey {
    case variables, crossSpectra, count, members
    case reference, referenceSplit, referenceCount, referenceFingerprint
    case sampler, steps, evaluations, seed, weights, checkpoint
    case trainingSteps = "step"
  }
}

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
