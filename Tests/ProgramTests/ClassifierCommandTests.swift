import Foundation
import TestSupport
import Testing

struct ClassifierCommandTests {
  private static let tiny = Fixture.tiny

  @Test func aClassifierReportsItsAccuracyAndKind() async throws {
    let classifier = try await Fixture.classifier.made
    try await Fixture.classifier.log.succeeds(saying: "Accuracy on 512 noisy test images")
    try await ddpm("inspect \(classifier)/checkpoints/step-00000004.h5").succeeds(saying: "classifier of 5 classes")
    _ = try await Fixture.classifierVPSDE.log.succeeds(saying: "Done")
  }

  @Test func aClassifierIsResumedAsAClassifier() async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(
      atPath: try await Fixture.classifier.made, toPath: folder.path("classifier"))
    try await ddpm("train-classifier --resume --output \(folder)/classifier")
      .succeeds(saying: "all 4 steps are done")
    try await Refusal(
      "train --resume --output \(folder)/classifier", "step-00000004.h5 is a classifier, not a denoiser"
    ).check(inTurn: true)
  }

  /// A process with two steps, so that losses determine the distribution early.
  @Test func lossAwareTimesDoNotDependOnTheRanks() async throws {
    let folder = try TemporaryFolder()
    func train(_ sampling: String, ranks: Int? = nil, as name: String) async throws -> String {
      try await ddpm(
        """
        train-classifier \(Self.tiny) --set diffusion.steps=2 --set training.steps=12
        --set training.checkpoint_every=none --set training.sample_every=none
        --set diffusion.time_sampling=\(sampling) --output \(folder)/\(name)
        """, ranks: ranks
      ).succeeds(saying: "Done")
      return folder.path("\(name)/checkpoints/step-00000012.h5")
    }
    let even = try await train("even", as: "even")
    let aware = try await train("loss-aware", as: "aware")
    #expect(try await !areEqual(even, aware, "/model"))
    let shared = try await train("loss-aware", ranks: 2, as: "shared")
    #expect(try await areEqual(aware, shared))
    try await ddpm("inspect \(aware)").succeeds(saying: /(?m)^\/loss_aware_steps: 2 tensors, 22 numbers, whole/)
  }

  /// With the configuration of the model that the classifier is to guide.
  @Test func theConfigurationOfAConditionedModelTrainsAClassifier() async throws {
    let folder = try TemporaryFolder()
    try await ddpm(
      "train-classifier \(Fixture.conditioned) --set training.label_dropout=0.3 --output \(folder)/classifier"
    ).succeeds(saying: "Done")
  }
}
