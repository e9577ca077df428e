import TestSupport
import Testing

/// Runs on fields: what they store, and what they refuse.
struct FieldTrainingTests {
  private static let tiny: Words = """
    --preset fields --set model.channels=8 --set model.multipliers=[1,1] --set model.groups=4
    --set model.attention_resolutions=[] --set training.batch=2 --set training.micro_batch=1 --set training.steps=2
    --set training.sample_every=none --set data.channels=2 --set data.conditions=[field_2]
    """

  @Test func aRunKnowsItsFields() async throws {
    let folder = try TemporaryFolder()
    try await ddpm("train \(Self.tiny) --output \(folder)/run", ranks: 2).succeeds(
      saying: "gaussian-field, 10,000 fields of 32x32x1 (field_1), given field_2", "Done: 2 steps")
    // What was automatic is a number now.
    let configuration = try text(at: folder.path("run/config.yaml"))
    #expect(configuration.contains("  sigma_data: 1.0\n") && configuration.contains("  clip: false\n"))
    try await ddpm("inspect \(folder)/run/checkpoints/step-00000002.h5").succeeds(
      saying: "fields of 32x32x1, normalisation standard", #/field_1 +1 +drawn +0 +1 +-6 +6/#,
      #/field_2 +1 +given +0 +1 +-6 +6/#)
    try await ddpm("train --resume --set training.steps=3 --output \(folder)/run").succeeds(saying: "Done: 3 steps")
    try await Refusal(
      "train \(Self.tiny) --resume --set training.steps=3 --set data.normalisation=range --output \(folder)/run",
      "data.normalisation is range, but the run to resume was started with standard"
    ).check(inTurn: true)
    try await Refusal(
      "likelihood --checkpoint \(folder)/run --method ode --count 1", "needs images, but gaussian-field has fields"
    ).check()
  }

  @Test func impossibleFieldsAreRefused() async throws {
    try await Refusal(
      "train \(Self.tiny) --set data.conditions=[u] --output \(Fixture.nowhere)",
      "data.conditions: gaussian-field has no variable u; it has field_1, field_2"
    ).check()
    try await Refusal(
      "train-classifier \(Self.tiny) --output \(Fixture.nowhere)",
      "data.conditions is [field_2], but a classifier is given only noisy images"
    ).check()
    try await Refusal(
      "train --preset shapes --set data.conditions=[red] --output \(Fixture.nowhere)", "grey value of colour images"
    ).check()
  }
}
