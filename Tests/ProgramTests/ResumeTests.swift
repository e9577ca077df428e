import Foundation
import TestSupport
import Testing

struct ResumeTests {
  private static let tiny = Fixture.tiny

  /// A copy of the shared run, to continue.
  private func copyOfRun(in folder: TemporaryFolder) async throws -> String {
    try FileManager.default.copyItem(atPath: try await Fixture.run.made, toPath: folder.path("run"))
    return folder.path("run")
  }

  @Test func changesThatDoNotSuitTheRunAreRefused() async throws {
    let folder = try TemporaryFolder()
    let run = try await copyOfRun(in: folder)
    try await Refusal(
      "train \(Self.tiny) --output \(run)",
      "already contains a run; continue it with --resume, or choose another folder with --output"
    ).check()
    try await Refusal(
      "train --resume --set model.dropout=0.5 --output \(run)",
      "model.dropout is 0.5, but the run to resume was started with 0.0"
    ).check()
    try await Refusal(
      "train --resume --convolution direct --output \(run)",
      "model.convolution is direct, but the run to resume was started with winograd"
    ).check()
    try await Refusal(
      "train --resume --set training.steps=3 --output \(run)",
      "training.steps is 3, but 4 steps are done in ", "step-00000004.h5; set it to at least that many"
    ).check(inTurn: true)
    try await ddpm("train --resume --output \(run)").succeeds(saying: "all 4 steps are done")
  }

  @Test func resumingAnEmptyFolderStartsARun() async throws {
    let folder = try TemporaryFolder()
    try await ddpm("train \(Self.tiny) --set training.steps=1 --resume --output \(folder)/empty")
      .succeeds(saying: "starting at step 0")
  }

  @Test func changedKeysAreReportedAndTakeEffect() async throws {
    let folder = try TemporaryFolder()
    let run = try await copyOfRun(in: folder)
    let change = "training.learning_rate was 0.001 and is 0.0005"
    try await ddpm(
      """
      train --resume --set training.learning_rate=0.0005 --set training.steps=5 --set training.checkpoint_every=none
      --output \(run)
      """, ranks: 2
    ).succeeds(saying: change)
    struct Event: Decodable { let changes: [String]? }
    let changes = try jsonLines(at: run + "/journal.jsonl", as: Event.self).flatMap { $0.changes ?? [] }
    #expect(changes.contains { $0.contains(change) })
    let last = try #require(try jsonLines(at: run + "/metrics.jsonl", as: [String: Double].self).last)
    #expect(last["step"] == 5)
    // The rate rises over 20 steps.
    #expect(abs(try #require(last["learning_rate"]) - 0.0005 * 5 / 20) < 1e-12)
  }

  @Test func changedImagesNeedPermission() async throws {
    let folder = try TemporaryFolder()
    try writeDigits(folder.path("dark"), shade: 9)
    try writeDigits(folder.path("light"), shade: 200)
    let run = folder.path("run")
    try await ddpm(
      """
      train \(Self.tiny) --set data.name=mnist --set data.path=\(folder)/dark --set training.steps=2 --output \(run)
      """
    ).succeeds(saying: "Done: 2 steps")
    let other: Words = "train --resume --set data.path=\(folder)/light --set training.steps=3 --output \(run)"
    try await Refusal(
      other, "was trained on other images: the fingerprint of mnist was ", " or use --allow-other-data"
    ).check(inTurn: true)
    #expect(try text(at: run + "/config.yaml").contains("steps: 2"), "a refused configuration is not stored")
    try await ddpm("\(other) --allow-other-data", ranks: 2)
      .succeeds(saying: /fingerprint was [0-9a-f]+ and is [0-9a-f]+/)
    #expect(try text(at: run + "/journal.jsonl").contains("the data set's fingerprint was"))
    try await ddpm("train --resume --output \(run)").succeeds(saying: "all 3 steps are done")
    try await Refusal(
      "train --resume --set data.name=shapes --output \(run)",
      "data.name is shapes, but the run to resume was started with mnist"
    ).check()
    try await Refusal(
      "train --resume --allow-other-data --set data.name=shapes --set data.path=default --output \(run)",
      "is for images of 32x32x1, but those of shapes are 32x32x3"
    ).check(inTurn: true)
  }

  @Test func aDecayingLearningRateResumesWithTheSameBits() async throws {
    let folder = try TemporaryFolder()
    let falling: Words =
      "\(Self.tiny) --set training.schedule=cosine --set training.warmup_steps=1 --output \(folder)/run"
    try await ddpm("train \(falling)").succeeds(saying: "Done")
    let (last, whole) = (folder.path("run/checkpoints/step-00000004.h5"), folder.path("whole.h5"))
    try FileManager.default.moveItem(atPath: last, toPath: whole)
    try folder.remove("run/checkpoints/step-00000003.h5")
    try await ddpm("train --resume \(falling)", ranks: 2).succeeds(saying: /Resuming from .*step-00000002\.h5/)
    #expect(try await areEqual(whole, last))
  }
}
