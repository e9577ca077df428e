import Datasets
import FieldMeasures
import Foundation
import Inference
import Reporting
import Tensors
import Testing

struct FieldEvaluationTests {
  private static let shape = [8, 12, 2]
  private static let variables = ["u", "v"].map { FieldVariable(name: $0, units: "m s-1", minimum: -5, maximum: 5) }

  /// Independent standard normal numbers, [count, 8, 12, 2].
  private func normals(_ count: Int, seed: UInt64 = 1) -> Tensor {
    let fields = Tensor(uninitialised: [count] + Self.shape)
    RandomStream(seed: seed, purpose: .noise).fillNormal(fields)
    return fields
  }

  private func scaled(_ fields: Tensor, by factor: Float) -> Tensor {
    Tensor(fields.elements.map { factor * $0 }, shape: fields.shape)
  }

  private func distribution(_ fields: Tensor, edges: [[Double]] = []) throws -> FieldDistribution {
    var sums = try FieldSums(FieldMeasure.allCases, shape: Self.shape, edges: edges, firstSample: 0)
    try sums.add(fields, workers: .callingThread)
    return try sums.distribution()
  }

  private func result(members: Int? = nil) -> FieldEvaluationResult {
    FieldEvaluationResult(
      count: 20, members: members, reference: "weather", referenceSplit: "test", referenceCount: 30,
      referenceFingerprint: "0123456789abcdef", sampler: "edm", steps: 18, evaluations: 35, seed: 3, weights: "ema",
      checkpoint: "runs/weather/checkpoints/step-00000100.h5", trainingSteps: 100)
  }

  private func compare(
    _ drawn: Tensor, with reference: Tensor, ensembles: EnsembleSums? = nil
  ) throws -> FieldEvaluationResult {
    let edges = try distribution(reference).histogramEdges
    var result = self.result(members: ensembles?.memberCount)
    try result.add(
      FieldMeasure.allCases, of: Self.variables, drawn: distribution(drawn, edges: edges),
      reference: distribution(reference, edges: edges), ensembles: ensembles)
    return result
  }

  private func number(_ name: String, in result: FieldEvaluationResult) -> Double? {
    result.numbers.first { $0.name == name }?.value
  }

  @Test func dataComparedWithThemselvesHaveNoErrors() throws {
    let fields = normals(10)
    let result = try compare(fields, with: fields)
    for name in ["spectrum_error", "cross_spectrum_error", "histogram_distance"] {
      #expect(number(name, in: result) == 0, "\(name)")
    }
    #expect(result.score?.name == "spectrum_error" && result.score?.value == 0)
    for variable in result.variables {
      #expect(variable.moments?.drawn == variable.moments?.reference)
      #expect(variable.crps == nil && variable.spreadSkill == nil && variable.rankHistogram == nil)
    }
  }

  /// Twice the values: 4 times the power at every wavenumber, the same correlations, and histograms apart by the mean of
  /// |x|, √(2/π) for normal numbers.
  @Test func errorsOfScaledDataHaveClosedForms() throws {
    let fields = normals(60)
    let result = try compare(scaled(fields, by: 2), with: fields)
    for variable in result.variables {
      let spectrum = try #require(variable.spectrum)
      #expect(spectrum.relativeErrors.count == 5 && spectrum.modeCounts.count == 5)
      for error in spectrum.relativeErrors { #expect(error == 3) }
      #expect(spectrum.error == 3 && spectrum.largestError == 3)
      let histogram = try #require(variable.histogram)
      // The edges reach an eighth beyond the range of the reference, and values beyond them count as the edges.
      #expect(histogram.drawnBelow > 0 && histogram.drawnAbove > 0)
      #expect(abs(histogram.distance - (2 / Double.pi).squareRoot()) < 0.1)
      let moments = try #require(variable.moments)
      #expect(moments.drawn.standardDeviation == 2 * moments.reference.standardDeviation)
    }
    #expect(number("cross_spectrum_error", in: result) == 0)
  }

  /// A wave along the rows, |k| = 1, and some noise at all wavenumbers.
  private func waves(amplitude: Double, noise sigma: Float) -> Tensor {
    let fields = scaled(normals(4), by: sigma)
    for index in 0..<fields.count {
      let phase = 2 * Double.pi * Double(index / 2 % 12) / 12
      fields[index] += Float(amplitude * cos(phase))
    }
    return fields
  }

  @Test func wavenumbersWithoutPowerDoNotCount() throws {
    let result = try compare(waves(amplitude: 1.1, noise: 1e-4), with: waves(amplitude: 1, noise: 1e-6))
    let spectrum = try #require(result.variables[0].spectrum)
    #expect(spectrum.relativeErrors.compactMap(\.self).contains { $0 > 100 })
    #expect(abs(try #require(spectrum.error) - 0.21) < 1e-3)
    #expect(spectrum.largestErrorWavenumber == 1)
  }

  private func ensembles(
    _ fields: Tensor, members: Int, truths: Tensor, batch: Int
  ) throws -> EnsembleSums {
    var collection = EnsembleCollection(memberCount: members, shape: Self.shape, seed: 1)
    for start in stride(from: 0, to: fields.shape[0], by: batch) {
      let part = fields[start..<min(start + batch, fields.shape[0])]
      try collection.add(part, workers: .callingThread) { (truths[$0..<$0 + 1], nil) }
    }
    return collection.sums
  }

  @Test func ensembleOfTheTruthHasNoError() throws {
    let truths = normals(4)
    let fields = Tensor(uninitialised: [12] + Self.shape)
    for member in 0..<12 { fields[image: member].copy(truths[image: member / 3]) }
    let sums = try ensembles(fields, members: 3, truths: truths, batch: 5)
    #expect(sums.count == 4)
    let result = try compare(fields, with: truths, ensembles: sums)
    #expect(number("relative_crps", in: result) == 0 && result.score?.name == "relative_crps")
    // Each truth is there three times, which changes no mean but by rounding.
    #expect(try #require(number("spectrum_error", in: result)) < 1e-12)
    for variable in result.variables {
      #expect(variable.crps?.standard == 0 && variable.crps?.fair == 0)
      #expect(variable.spreadSkill?.error == 0 && variable.spreadSkill?.ratio == nil)
      #expect(variable.rankHistogram?.counts.reduce(0, +) == 4 * 96)
    }
    #expect(number("spread_skill", in: result) == nil)
  }

  @Test func batchesMayDivideEnsembles() throws {
    let (fields, truths) = (normals(12), normals(4, seed: 2))
    let whole = try CRPS(ensembles(fields, members: 3, truths: truths, batch: 12), channel: 1)
    for batch in [1, 2, 3, 5] {
      #expect(try CRPS(ensembles(fields, members: 3, truths: truths, batch: batch), channel: 1) == whole)
    }
  }

  @Test func resultIsReadBackFromItsLine() throws {
    let truths = normals(4)
    let sums = try ensembles(normals(12, seed: 2), members: 3, truths: truths, batch: 4)
    let result = try compare(normals(12, seed: 2), with: truths, ensembles: sums)
    let line = try jsonLine(result)
    #expect(!line.contains("\n") && line.contains("\"relative_crps\":") && line.contains("\"step\":100"))
    let again: FieldEvaluationResult? = value(ofJSONLine: line.utf8)
    #expect(again == result)
  }

  @Test func textNamesVariablesMeasuresAndSettings() throws {
    let truths = normals(4)
    let sums = try ensembles(normals(12, seed: 2), members: 3, truths: truths, batch: 4)
    let text = try compare(normals(12, seed: 2), with: truths, ensembles: sums).text
    for part in [
      "u, m s-1\n", "spectrum error", "histogram distance", "standard deviation", ", reference ", "CRPS", "fair",
      "spread/skill", "ranks of the truth", "correlation of u and v: error",
      "20 x 3 fields by edm in 18 steps, seed 3, ema weights of runs/weather/checkpoints/step-00000100.h5, against 30 test "
        + "fields of weather",
    ] { #expect(text.contains(part), "\(part) is missing in:\n\(text)") }
  }

  @Test func constantReferenceHasNoRelativeDistance() throws {
    let fields = Tensor(repeating: 2, shape: [3] + Self.shape)
    let result = try compare(fields, with: fields)
    #expect(number("histogram_distance", in: result) == nil)
    #expect(result.variables[0].histogram?.distance == 0)
    #expect(throws: Never.self) { try jsonLine(result) }
  }
}
