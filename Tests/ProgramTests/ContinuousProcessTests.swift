import TestSupport
import Testing

/// The networks of continuous-time models, trained for three steps.
struct ContinuousProcessTests {
  private static let brief: Words = """
    --set data.name=shapes --set model.channels=16 --set model.blocks=1 --set training.batch=4
    --set training.micro_batch=1 --set training.steps=3 --set training.checkpoint_every=3 --set training.sample_every=3
    --set sampling.count=2 --set sampling.steps=3
    """

  /// Trains and returns the last checkpoint.
  private func train(
    _ preset: String, _ more: Words = "", ranks: Int? = nil, in folder: TemporaryFolder, as name: String
  ) async throws -> String {
    try await ddpm("train --preset \(preset) \(Self.brief) \(more) --output \(folder)/\(name)", ranks: ranks)
      .succeeds(saying: "step 3/3")
    return folder.path("\(name)/checkpoints/step-00000003.h5")
  }

  @Test(arguments: ["ddpmpp-subvp", "ncsnpp-ve", "edm"])
  func ranksDoNotChangeTheBits(preset: String) async throws {
    let folder = try TemporaryFolder()
    let alone = try await train("cifar10-\(preset)", in: folder, as: "on-1")
    let shared = try await train("cifar10-\(preset)", ranks: 3, in: folder, as: "on-3")
    #expect(try await areEqual(alone, shared))
    try await ddpm(
      "sample --checkpoint \(folder)/on-1 --count 2 --sampler ode-heun --steps 3 --output \(folder)/samples.h5"
    ).succeeds(saying: "evaluations")

    guard preset == "ncsnpp-ve" else { return }
    let recomputed = try await train(
      "cifar10-ncsnpp-ve", "--set training.recompute_activations=blocks", in: folder, as: "recomputed")
    #expect(try await areEqual(alone, recomputed, "/model"), "recomputed blocks change bits")
    // Random frequencies do not change. Their average starts equal to them, and would differ if they had changed.
    #expect(try await areEqual(alone, shared, "/model/time_proj.weight", "/ema/0.999/time_proj.weight"))
    #expect(try await !areEqual(alone, shared, "/model/conv_in.weight", "/ema/0.999/conv_in.weight"))
  }
}
