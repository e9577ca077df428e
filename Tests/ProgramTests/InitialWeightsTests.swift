import Foundation
import TestSupport
import Testing

/// Training that starts from the weights of another run.
struct InitialWeightsTests {
  /// The arguments for fine-tuning the shared run for two steps.
  private func tune() async throws -> Words {
    "train --initial \(try await Fixture.run.made) --set training.steps=2 --set training.warmup_steps=0"
  }

  private func checkpoint(_ run: String, _ step: Int) -> String { "\(run)/checkpoints/step-0000000\(step).h5" }

  @Test func trainingStartsFromTheAverageOnAnyNumberOfRanks() async throws {
    let folder = try TemporaryFolder()
    let (run, tune) = (try await Fixture.run.made, try await tune())
    let (alone, shared) = (folder.path("alone"), folder.path("shared"))
    try await ddpm("\(tune) --output \(alone)")
      .succeeds(saying: /Starting from the weights \/ema\/0\.99 of .*step-00000004\.h5, step 4/)
    #expect(try await areEqual(checkpoint(run, 4), checkpoint(alone, 0), "/ema/0.99", "/model"))
    #expect(try await areEqual(checkpoint(alone, 0), checkpoint(alone, 0), "/model", "/ema/0.99"), "its average too")
    struct Event: Decodable { let initial: String? }
    let initial = try jsonLines(at: alone + "/journal.jsonl", as: Event.self).compactMap(\.initial)
    #expect(initial.contains { $0.hasSuffix("step-00000004.h5") })

    try await ddpm("\(tune) --output \(shared)", ranks: 2).succeeds(saying: "Starting from")
    #expect(try await areEqual(checkpoint(alone, 2), checkpoint(shared, 2)))
    for step in [1, 2] { try FileManager.default.removeItem(atPath: checkpoint(shared, step)) }
    try await ddpm("train --resume --output \(shared)", ranks: 2).succeeds(
      saying: /Resuming from .*step-00000000\.h5/)
    #expect(try await areEqual(checkpoint(alone, 2), checkpoint(shared, 2)), "resumed before its first step")
  }

  @Test func anotherObjectiveIsReported() async throws {
    let folder = try TemporaryFolder()
    try await ddpm(
      "\(try await tune()) --initial-weights model --set diffusion.prediction=velocity --output \(folder)/turned"
    ).succeeds(
      saying: "Starting from the weights /model ",
      "trained with diffusion.prediction=noise; training continues with velocity")
  }

  @Test func weightsOfAnotherNetworkAreRefused() async throws {
    let folder = try TemporaryFolder()
    let (tune, run, nowhere) = (try await tune(), try await Fixture.run.made, Fixture.nowhere)
    try writeDigits(folder.path("digits"), shade: 9)
    for refusal in [
      Refusal(
        "\(tune) --set model.channels=64 --output \(nowhere)",
        "its network is different: model.channels is 32 there but 64 here"),
      Refusal(
        "\(tune) --set data.name=mnist --set data.path=\(folder)/digits --output \(nowhere)",
        "its network is different: conv_in.weight is ",
        " and it is for images of 32x32x3"),
      Refusal(
        "\(tune) --initial-weights 0.5 --output \(nowhere)", "--initial-weights 0.5: ",
        " has no average with this decay; it has 0.99"),
      Refusal(
        "train-classifier --initial \(run) --output \(nowhere)", "this is a denoiser, not a classifier"),
      Refusal(
        "\(tune) --resume --output \(run)", "--initial begins a new run and --resume continues one"),
      Refusal("\(tune)", "--initial without --preset and --config needs an --output"),
    ] {
      try await refusal.check()
    }
    #expect(!FileManager.default.fileExists(atPath: nowhere))
  }
}
