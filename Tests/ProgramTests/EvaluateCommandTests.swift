import TestSupport
import Testing

struct EvaluateCommandTests {
  private struct Report: Decodable {
    let count: Int
    let reference: String
    let referenceSplit: String
    let referenceCount: Int
    let features: String
    let featureHash: String
    let sampler: String
    let steps: Int
    let evaluations: Int
    let seed: Int
    let weights: String
    let step: Int
    let checkpoint: String
    let fid: Double
    let inceptionScore: Double
    let inceptionScoreDeviation: Double
    let kid: Double
    let kidDeviation: Double
    let precision: Double
    let recall: Double
  }

  @Test func figuresDoNotDependOnTheRanks() async throws {
    let alone = try await EvaluationFixture.figures.value.succeeds(saying: "\"fid\":")
    for ranks in [2, 3] {
      let shared = try await ddpm(
        "\(try await EvaluationFixture.evaluate) --json", ranks: ranks, environment: EvaluationFixture.noCache)
      #expect(shared.output == alone.output, "\(shared)")
    }
  }

  @Test func reportHasAllSettingsOfItsFigures() async throws {
    let report = try await EvaluationFixture.figures.value.json(as: Report.self)
    #expect(report.count == 40 && report.referenceCount == 60)
    #expect(report.reference == "fashion-mnist" && report.referenceSplit == "training")
    #expect(report.features == "fashion-mnist-classifier" && report.featureHash.count == 8)
    #expect(report.sampler == "ddpm" && report.steps == 2 && report.evaluations == 2)
    #expect(report.seed == 0 && report.weights == "ema" && report.step == 6)
    #expect(report.checkpoint == EvaluationFixture.run.path + "/checkpoints/step-00000006.h5")
    #expect(report.fid.isFinite && report.fid > 1)
    #expect(report.inceptionScore >= 1 && report.inceptionScore <= 10)
    for figure in [
      report.inceptionScoreDeviation, report.kid, report.kidDeviation, report.precision, report.recall,
    ] {
      #expect(figure.isFinite)
    }
  }

  @Test func onlyRequestedMeasuresAreComputed() async throws {
    let evaluate = try await EvaluationFixture.evaluate
    let distance = try await ddpm("\(evaluate) --measures fid").succeeds(
      saying: /(?m)^FID\[fashion-mnist-classifier\]\ /,
      "Not comparable with published results: fewer than 10,000 images")
    #expect(!distance.says("IS"))
    try await ddpm("\(evaluate) --measures is --json").succeeds(saying: "\"inception_score\"")
  }

  @Test func missingFeaturesAreRefused() async throws {
    let evaluate = try await EvaluationFixture.evaluate
    let folder = try TemporaryFolder()
    try await ddpm("\(evaluate) --features inception", environment: ["HOME": folder.path]).ends(
      2,
      saying: "Inception's weights do not come with this program; download pt_inception-2015-12-05-6726825d.pth")
    try await ddpm("\(evaluate) --features mine").ends(2, saying: "there are no features mine")
    let shapes = try await Fixture.fewSteps.made
    try await ddpm("evaluate --checkpoint \(shapes) --count 20 --steps 2").ends(
      2, saying: "fashion-mnist-classifier requires images of 32x32x1, but these are 32x32x3")
  }

  @Test func unknownMeasuresAreAnsweredWithAllThatThereAre() async throws {
    for names in ["fancy", "fid,fancy"] {
      try await ddpm("evaluate --checkpoint x --count 20 --measures \(names)").ends(
        2, saying: "--measures: 'fancy' is not a measure; the measures are fid, ")
    }
  }

  @Test func tooFewImagesAreRefusedBeforeAnyIsDrawn() async throws {
    let evaluate: Words = "evaluate --checkpoint \(try await EvaluationFixture.run.made)"
    try await ddpm("\(try await EvaluationFixture.evaluate) --reference-count 60001").ends(
      2, saying: "reference-count is 60001, but fashion-mnist has only 60000 training images")
    let few = try await ddpm("\(evaluate) --count 9").ends(
      2, saying: "--count is 9, but is needs at least 10 images; draw more, or remove it from --measures")
    #expect(!few.says("step "))
    try await ddpm("\(evaluate) --count 3 --measures fid,pr").ends(
      2, saying: "--count is 3, but pr needs at least 4 images")
    try await ddpm("\(evaluate) --count 40 --reference-count 3").ends(
      2, saying: "pr needs at least 4 images to compare with, but there are 3")
  }

  /// With statistics as the reference.
  @Test(arguments: [
    Words("--split test"), "--data-path x", "--background white", "--reference-count 20", "--reference-cache x",
  ])
  func statisticsExcludeOptionsForReferenceImages(option: Words) async throws {
    let (run, statistics) = (try await EvaluationFixture.run.made, try await EvaluationFixture.statistics.value)
    try await ddpm("evaluate --checkpoint \(run) --count 20 --reference \(statistics) \(option)")
      .ends(2, saying: "reference and \(option.list[0]) exclude each other")
  }
}
