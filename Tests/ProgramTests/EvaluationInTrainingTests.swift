import Foundation
import TestSupport
import Testing

/// Runs that evaluate their images during training.
struct EvaluationInTrainingTests {
  private static let measured: Words = """
    \(EvaluationFixture.tiny) --set evaluation.every=2 --set evaluation.count=20 --set evaluation.reference_count=40
    """
  private static let run = Fixture("measured", "train \(measured)", ranks: 2)

  private struct Result: Decodable {
    let step: Int
    let fid: Double
  }

  @Test func theBestModelIsKept() async throws {
    let run = try await Self.run.made
    try await Self.run.log.succeeds(saying: /The best so far: kept as .*\/checkpoints\/best\.h5/)
    let results = try jsonLines(at: run + "/evaluations.jsonl", as: Result.self)
    #expect(results.map(\.step) == [2, 4, 6])
    #expect(try text(at: run + "/metrics.jsonl").split(separator: "\n").count { $0.contains("\"fid\"") } == 3)
    let best = try #require(results.min { $0.fid < $1.fid }).step
    #expect(try HDF5Contents.integer("step", of: run + "/checkpoints/best.h5") == Int64(best))
    #expect(
      !FileManager.default.fileExists(atPath: run + "/checkpoints/step-00000002.h5"),
      "only the newest others are kept")
    try await ddpm("evaluate --checkpoint \(run)/checkpoints/best.h5 --count 20 --reference-count 40 --steps 2")
      .succeeds(saying: "FID")
  }

  @Test func aResumedRunMeasuresTheSame() async throws {
    let folder = try TemporaryFolder()
    let run = try await Self.run.made
    try await ddpm("train \(Self.measured) --set training.steps=4 --output \(folder)/resumed")
      .succeeds(saying: "Done: 4 steps")
    try await ddpm(
      "train \(Self.measured) --resume --output \(folder)/resumed", ranks: 3, environment: EvaluationFixture.noCache
    ).succeeds(saying: "Done: 6 steps")
    let evaluations = try text(at: folder.path("resumed/evaluations.jsonl"))
    #expect(
      try evaluations.replacingOccurrences(of: folder.path("resumed"), with: run)
        == text(at: run + "/evaluations.jsonl"))
    #expect(
      try await areEqual(
        run + "/checkpoints/step-00000006.h5", folder.path("resumed/checkpoints/step-00000006.h5"), "/model"))
  }

  @Test func trainingContinuesIfImagesCannotBeMeasured() async throws {
    let folder = try TemporaryFolder()
    let run = try await Self.run.made
    try await ddpm(
      "train \(Self.measured) --output \(folder)/once", ranks: 2,
      environment: ["DDPM_MPI_FAULT": "evaluate:1:error:2"]
    ).succeeds(saying: /warning: the images are not measured after step 4: rank 1: .*; training continues/)
    #expect(try jsonLines(at: folder.path("once/evaluations.jsonl"), as: Result.self).map(\.step) == [2, 6])
    struct Event: Decodable {
      let event: String
      let reason: String?
      let step: Int?
    }
    let events = try jsonLines(at: folder.path("once/journal.jsonl"), as: Event.self)
    #expect(
      events.contains {
        $0.event == "warning" && $0.step == 4
          && $0.reason?.hasPrefix("the images are not measured: rank 1: ") == true
      })
    #expect(
      try await areEqual(
        run + "/checkpoints/step-00000006.h5", folder.path("once/checkpoints/step-00000006.h5"), "/model"))
    #expect(FileManager.default.fileExists(atPath: folder.path("once/checkpoints/best.h5")))
  }

  @Test func impossibleEvaluationsAreRefusedBeforeAnythingIsWritten() async throws {
    let folder = try TemporaryFolder()
    try await ddpm("train \(Self.measured) --set evaluation.features=mine --output \(folder)/refused")
      .ends(2, saying: "there are no features mine")
    try await ddpm("train \(Self.measured) --set evaluation.count=9 --output \(folder)/refused")
      .ends(2, saying: "evaluation.count is 9, but is needs at least 10 images")
    #expect(!FileManager.default.fileExists(atPath: folder.path("refused/checkpoints/step-00000002.h5")))
  }
}
