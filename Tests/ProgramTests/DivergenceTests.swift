import TestSupport
import Testing

struct DivergenceTests {
  @Test func aNonFiniteLossEndsTheRunAndKeepsItsCheckpoints() async throws {
    let folder = try TemporaryFolder()
    try await ddpm(
      """
      train \(Fixture.tiny) --set training.steps=50 --set training.learning_rate=1e30
      --set training.max_gradient_norm=none --set training.warmup_steps=0 --set training.sample_every=50
      --output \(folder)/diverged
      """, ranks: 2
    ).ends(
      3,
      saying: /stopped at step [0-9]+: loss .*; the last good checkpoint is .*\/diverged\/checkpoints\/step-0000000/)
    #expect(try folder.names(in: "diverged/checkpoints").contains { $0.hasPrefix("step-") })
  }

  @Test func nonFiniteWeightsAreNotSaved() async throws {
    let folder = try TemporaryFolder()
    try await ddpm(
      """
      train \(Fixture.tiny) --set training.learning_rate=1e39 --set training.warmup_steps=0 --output \(folder)/infinite
      """, ranks: 2
    ).ends(3, saying: "stopped at step 1: values of model are not finite; there is no checkpoint yet")
    #expect(try !folder.names(in: "infinite/checkpoints").contains { $0.hasPrefix("step-") })
  }
}
