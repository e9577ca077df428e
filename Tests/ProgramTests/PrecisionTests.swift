import Foundation
import TestSupport
import Testing

/// `model.precision=bfloat16` in training and everything that uses its models.
struct PrecisionTests {
  private static let tiny: Words = "\(Fixture.tiny) --set model.precision=bfloat16"

  /// Trained on two ranks.
  private static let run = Fixture("bfloat16", "train \(tiny)", ranks: 2)

  private let last = "checkpoints/step-00000004.h5"

  @Test func trainingHasTheSameBitsOnAnyNumberOfRanksAndWhenResumed() async throws {
    let folder = try TemporaryFolder()
    let (run, exact) = (try await Self.run.made, try await Fixture.run.made)
    try await Self.run.log.succeeds(saying: "parameters, values in bfloat16")
    #expect(try await !areEqual("\(run)/\(last)", "\(exact)/\(last)", "/model"))

    try await ddpm("train \(Self.tiny) --output \(folder)/alone --threads 2").succeeds(saying: "Done")
    #expect(try await areEqual("\(run)/\(last)", folder.path("alone/\(last)")))
    for step in [3, 4] { try folder.remove("alone/checkpoints/step-0000000\(step).h5") }
    try await ddpm("train --resume --output \(folder)/alone", ranks: 3).succeeds(saying: "values in bfloat16")
    #expect(try await areEqual("\(run)/\(last)", folder.path("alone/\(last)")))
    try await Refusal(
      "train --resume --set model.precision=float32 --output \(folder)/alone",
      "model.precision is float32, but the run to resume was started with bfloat16"
    ).check()
  }

  @Test func recomputationChangesNoBits() async throws {
    let folder = try TemporaryFolder()
    let run = try await Self.run.made
    try await ddpm(
      "train \(Self.tiny) --set training.recompute_activations=blocks --output \(folder)/recomputed"
    ).succeeds(saying: "Done")
    #expect(try await areEqual("\(run)/\(last)", folder.path("recomputed/\(last)"), "/model"))
  }

  @Test func samplesDoNotDependOnTheRanksOrTheBatch() async throws {
    let folder = try TemporaryFolder()
    let run = try await Self.run.made
    func sample(_ name: String, _ words: Words, ranks: Int? = nil) async throws -> String {
      try await ddpm(
        "sample --checkpoint \(run) --steps 3 --count 3 \(words) --output \(folder)/\(name).h5", ranks: ranks
      ).succeeds(saying: "Wrote")
      return folder.path(name + ".h5")
    }
    let alone = try await sample("alone", "--batch 3")
    let shared = try await sample("shared", "--batch 1", ranks: 2)
    #expect(try await areEqual(alone, shared, "/images"))
  }

  /// The weights are float32 numbers in either case.
  @Test func theWeightsOfOnePrecisionAreFineTunedInTheOther() async throws {
    let folder = try TemporaryFolder()
    try await ddpm(
      """
      train --initial \(try await Fixture.run.made) --set model.precision=bfloat16 --set training.steps=1
      --output \(folder)/tuned
      """
    ).succeeds(saying: "values in bfloat16", "Done: 1 step")
  }

  /// Both need gradients through the network.
  @Test func restorationsAndLikelihoodsDoNotDependOnTheRanks() async throws {
    let folder = try TemporaryFolder()
    let (run, pictures) = (try await Self.run.made, try await RestorationFixture.pictures.value)
    let restore: Words = """
      restore --checkpoint \(run) --measured \(pictures.images) --simulate --operator coarse=4 --method pigdm --steps 2
      --float
      """
    try await ddpm("\(restore) --output \(folder)/alone.h5").succeeds()
    try await ddpm("\(restore) --output \(folder)/shared.h5", ranks: 2).succeeds()
    #expect(try await areEqual(folder.path("alone.h5"), folder.path("shared.h5"), "/samples"))
    let likelihood: Words = "likelihood --checkpoint \(run) --method ode --tolerance 0.1 --count 2 --json"
    let alone = try await ddpm(likelihood).succeeds(saying: "\"bits_per_dimension\":")
    let shared = try await ddpm(likelihood, ranks: 2).succeeds(saying: "\"bits_per_dimension\":")
    #expect(alone.output == shared.output)
  }

  @Test func otherPrecisionsAreRefused() async throws {
    try await Refusal(
      "train \(Fixture.tiny) --set model.precision=float16 --output \(Fixture.nowhere)",
      "model.precision is float16; expected float32 or bfloat16"
    ).check()
  }
}
