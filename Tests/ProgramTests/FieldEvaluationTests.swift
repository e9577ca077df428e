import Foundation
import Interchange
import TestSupport
import Testing

struct FieldEvaluationTests {
  private struct Report: Decodable {
    struct Variable: Decodable {
      struct Spectrum: Decodable {
        let drawn: [Double]
        let reference: [Double]
        let relativeErrors: [Double?]
        let error: Double
      }
      struct Histograms: Decodable {
        let edges: [Double]
        let drawn: [Int]
        let reference: [Int]
        let drawnBelow: Int
        let drawnAbove: Int
      }
      struct Score: Decodable {
        let standard: Double
        let fair: Double?
        let caseCount: Int
      }
      struct Ranks: Decodable { let counts: [Int] }
      struct MomentPair: Decodable {
        struct Moments: Decodable { let standardDeviation: Double }
        let drawn: Moments
        let reference: Moments
      }

      let name: String
      let spectrum: Spectrum?
      let histogram: Histograms?
      let moments: MomentPair?
      let crps: Score?
      let rankHistogram: Ranks?
    }

    let variables: [Variable]
    let count: Int
    let members: Int?
    let reference: String
    let referenceSplit: String
    let referenceCount: Int
    let step: Int
  }

  private func evaluate() async throws -> Words {
    "evaluate --checkpoint \(try await FieldFixture.run.made) --count 12 --reference-count 40 --batch 5"
  }

  private func evaluateConditioned() async throws -> Words {
    "evaluate --checkpoint \(try await FieldFixture.conditionedRun.made) --count 5 --members 3 --batch 4"
  }

  @Test func numbersDoNotDependOnTheRanks() async throws {
    for evaluate in [try await self.evaluate(), try await self.evaluateConditioned()] {
      let alone = try await ddpm("\(evaluate) --json").succeeds(saying: "\"variables\":")
      for ranks in [2, 3] {
        let shared = try await ddpm("\(evaluate) --json", ranks: ranks)
        #expect(shared.output == alone.output, "\(shared)")
      }
    }
  }

  @Test func fieldsAreComparedWithThoseOfTheSplit() async throws {
    let evaluate = try await self.evaluate()
    let report = try await ddpm("\(evaluate) --json").json(as: Report.self)
    #expect(report.count == 12 && report.members == nil && report.step == 4)
    #expect(report.reference == "gaussian-field" && report.referenceSplit == "training")
    #expect(report.referenceCount == 40 && report.variables.map(\.name) == ["field_1"])
    let spectrum = try #require(report.variables[0].spectrum)
    #expect(spectrum.drawn.count == 17 && spectrum.relativeErrors.count == 17)
    // The power falls with the wavenumber, above the cut-off at 3.
    #expect(spectrum.reference[4] > 4 * spectrum.reference[12])
    let histogram = try #require(report.variables[0].histogram)
    #expect(histogram.reference.reduce(0, +) == 40 * 1024)
    #expect(histogram.drawn.reduce(histogram.drawnBelow + histogram.drawnAbove, +) == 12 * 1024)
    #expect(report.variables[0].crps == nil)
    try await ddpm(evaluate).succeeds(
      saying: "field_1\n", "spectrum error", /standard deviation +\S+, reference (0\.9|1)/,
      /12 fields by edm in 2 steps, seed 0, ema weights of .*, against 40 training fields of gaussian-field/)
  }

  @Test func ensemblesAreComparedWithTheirTruths() async throws {
    let evaluate = try await self.evaluateConditioned()
    let report = try await ddpm("\(evaluate) --json").json(as: Report.self)
    #expect(report.count == 5 && report.members == 3 && report.referenceCount == 5)
    #expect(report.referenceSplit == "test" && report.variables.map(\.name) == ["field_1", "field_2"])
    for variable in report.variables {
      let crps = try #require(variable.crps)
      let fair = try #require(crps.fair)
      #expect(crps.caseCount == 5 && crps.standard > 0 && fair < crps.standard)
      let counts = try #require(variable.rankHistogram).counts
      #expect(counts.count == 4 && counts.reduce(0, +) == 5 * 1024)
    }
    try await ddpm("\(evaluate) --measures crps,cross-spectrum").succeeds(
      saying: "CRPS", "correlation of field_1 and field_2: error", "5 x 3 fields by edm")
  }

  /// Where values are missing, `pack` puts the mean, which is no truth. Here the values that are present are 1 and −1 in
  /// equal numbers; together with the mean in place of the others, their standard deviation would be √½.
  @Test func missingValuesAreNoTruths() async throws {
    let folder = try TemporaryFolder()
    let (count, points) = (10, 256)
    let values = (0..<count * points).map { (index: Int) -> Double in
      if index % 4 > 1 { return .nan }
      return index % 8 < 4 ? 1 : -1
    }
    let source = folder.path("gaps.npz")
    try NumpyArchive.contents(of: [.init("u", shape: [count, 16, 16], values)], path: source)
      .write(to: URL(filePath: source))
    try await ddpm("pack \(source) --missing mask --output \(folder)/gaps.h5").succeeds(saying: "Packed")
    let train: Words = "train \(FieldFixture.tiny) --set data.name=hdf5 --set data.path=\(folder)/gaps.h5"
    try await ddpm("\(train) --set data.conditions=[u_mask] --output \(folder)/run").succeeds(saying: "Done: 4 steps")
    let evaluate: Words = "evaluate --checkpoint \(folder)/run --split training --count 4 --members 2"
    let run = try await ddpm("\(evaluate) --json", ranks: 2)
    let variable = try #require(try run.json(as: Report.self).variables.first)
    #expect(try await ddpm("\(evaluate) --json").output == run.output)
    // Rounding to single precision.
    #expect(abs(try #require(variable.moments).reference.standardDeviation - 1) < 1e-6)
    let (histogram, known) = (try #require(variable.histogram), 4 * points / 2)
    #expect(histogram.reference.reduce(0, +) == known)
    #expect(histogram.drawn.reduce(histogram.drawnBelow + histogram.drawnAbove, +) == 2 * known)
    #expect(try #require(variable.rankHistogram).counts.reduce(0, +) == known)
    #expect(variable.name == "u" && variable.crps?.caseCount == 4 && variable.spectrum == nil)
    try await ddpm("\(evaluate) --measures spectrum").ends(
      2,
      saying: "measures: spectrum is not possible: it needs whole fields, but `ddpm-mpi pack --missing mask` "
        + "replaced missing values of u by the mean")
  }

  @Test func oneMemberHasNoSpread() async throws {
    let evaluate: Words = "evaluate --checkpoint \(try await FieldFixture.conditionedRun.made) --count 3 --members 1"
    let run = try await ddpm(evaluate).succeeds(saying: "CRPS")
    #expect(!run.says("spread/skill"))
    try await ddpm("\(evaluate) --measures spread-skill").ends(
      2, saying: "measures: spread-skill is not possible: a spread needs at least 2 members")
  }

  @Test func measuresThatDoNotFitAreRefusedByName() async throws {
    let evaluate = try await self.evaluate()
    try await ddpm("\(evaluate) --measures fid").ends(
      2,
      saying: "measures: fid is not a measure of fields, which this model draws; their measures are spectrum, "
        + "cross-spectrum, histogram, moments, crps, spread-skill, rank-histogram")
    try await ddpm("\(evaluate) --measures crps").ends(
      2, saying: "measures: crps is not possible: it compares ensembles with truths")
    try await ddpm("\(evaluate) --measures cross-spectrum").ends(2, saying: "it needs two drawn variables")
    try await ddpm("\(evaluate) --measures nothing").ends(
      2, saying: "'nothing' is not a measure; the measures are fid,")
    let images = try await EvaluationFixture.run.made
    try await ddpm("evaluate --checkpoint \(images) --count 20 --steps 2 --measures spectrum").ends(
      2, saying: "spectrum is not a measure of images, which this model draws; their measures are fid, is, kid, pr")
  }

  @Test func optionsThatDoNotFitAreRefusedByName() async throws {
    let evaluate = try await self.evaluate()
    try await ddpm("\(evaluate) --members 3").ends(
      2, saying: "members is for models that were trained with data.conditions")
    try await ddpm("\(evaluate) --features inception").ends(2, saying: "features is for models of images")
    let run = try await FieldFixture.run.made
    try await ddpm("evaluate --checkpoint \(run) --count 4 --reference-count 10001").ends(
      2, saying: "reference-count is 10001, but gaussian-field has only 10000 training fields")
    let conditioned = try await FieldFixture.conditionedRun.made
    try await ddpm("evaluate --checkpoint \(conditioned) --count 10001").ends(
      2, saying: "count is 10001, but gaussian-field has only 10000 test fields")
    let images = try await EvaluationFixture.run.made
    try await ddpm("evaluate --checkpoint \(images) --count 20 --steps 2 --members 2").ends(
      2, saying: "members is for models of fields")
  }

  /// By their paths, since a file's data set may have another name.
  @Test func dataSetsThatDoNotFitAreRefusedByPath() async throws {
    let packed = try await PackedFieldFixture.pack("only-u-named.h5", "--variables u --name other")
    let evaluate: Words = "evaluate --checkpoint \(try await PackedFieldFixture.run.value) --count 2 --steps 2"
    try await ddpm("\(evaluate) --data-path \(Fixture.nowhere)").ends(
      2, saying: "data-path \(Fixture.nowhere): there is no such file")
    try await ddpm("\(evaluate) --data-path \(packed)").ends(2, saying: "\(packed): it has no variable v")
    let cropped = try await PackedFieldFixture.pack("cropped-to-16.h5", "--variables u,v --crop 16x16")
    try await ddpm("\(evaluate) --data-path \(cropped)").ends(2, saying: "\(cropped) has fields of 16x16 points")
  }

  private struct Line: Decodable {
    struct Variable: Decodable {
      struct Spectrum: Decodable { let error: Double }
      let spectrum: Spectrum
      let relativeCRPS: Double?

      enum CodingKeys: String, CodingKey {
        case spectrum
        case relativeCRPS = "relative_crps"
      }
    }
    let step: Int
    let variables: [Variable]

    /// What the best checkpoint is chosen by.
    var score: Double {
      let numbers = variables.map { $0.relativeCRPS ?? $0.spectrum.error }
      return numbers.reduce(0, +) / Double(numbers.count)
    }
  }

  @Test func theBestModelOfFieldsIsKept() async throws {
    for (fixture, name) in [(FieldFixture.run, "spectrum_error"), (FieldFixture.conditionedRun, "relative_crps")] {
      let run = try await fixture.made
      try await fixture.log.succeeds(saying: /The best so far: kept as .*\/checkpoints\/best\.h5/)
      let results = try jsonLines(at: run + "/evaluations.jsonl", as: Line.self)
      #expect(results.map(\.step) == [2, 4])
      #expect(try text(at: run + "/metrics.jsonl").split(separator: "\n").count { $0.contains("\"\(name)\"") } == 2)
      let best = try #require(results.min { $0.score < $1.score }).step
      #expect(try HDF5Contents.integer("step", of: run + "/checkpoints/best.h5") == Int64(best))
    }
  }

  @Test func aResumedRunMeasuresTheSame() async throws {
    let folder = try TemporaryFolder()
    let run = try await FieldFixture.run.made
    let train: Words = "train \(FieldFixture.tiny) \(FieldFixture.measured) --output \(folder)/resumed"
    try await ddpm("\(train) --set training.steps=2").succeeds(saying: "Done: 2 steps")
    try await ddpm("\(train) --resume", ranks: 3).succeeds(saying: "Done: 4 steps")
    let evaluations = try text(at: folder.path("resumed/evaluations.jsonl"))
    #expect(
      try evaluations.replacingOccurrences(of: folder.path("resumed"), with: run)
        == text(at: run + "/evaluations.jsonl"))
  }

  @Test func theReportShowsDrawnFields() async throws {
    let folder = try TemporaryFolder()
    let run = try await FieldFixture.conditionedRun.made
    try await ddpm("report \(run) --output \(folder)/page.html").succeeds(saying: "Wrote")
    let page = try text(at: folder.path("page.html"))
    for title in [
      "field_1: power spectrum", "field_2: relative error of the power", "field_1: distribution of values",
      "field_2: rank of the truth among the members", "field_1 and field_2: correlation",
    ] { #expect(page.contains("<h3>\(title)</h3>"), "\(title)") }
    #expect(page.contains("Drawn fields after step 4"))
  }

  @Test func measuresOfARunAreCheckedBeforeItStarts() async throws {
    let folder = try TemporaryFolder()
    try await ddpm(
      "train \(FieldFixture.tiny) \(FieldFixture.measured) --set evaluation.measures=[crps] --output \(folder)/refused"
    ).ends(2, saying: "evaluation.measures: crps is not possible: it compares ensembles with truths")
    // Fields have no Inception score, which needs an image for each of ten splits.
    try await ddpm(
      """
      train \(FieldFixture.tiny) --set evaluation.every=4 --set evaluation.count=3 --set evaluation.reference_count=20
      --output \(folder)/few
      """
    ).succeeds(saying: "Done: 4 steps")
    #expect(!FileManager.default.fileExists(atPath: folder.path("refused/checkpoints/step-00000002.h5")))
  }
}
