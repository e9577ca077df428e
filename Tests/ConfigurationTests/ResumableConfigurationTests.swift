import Configuration
import Optimisation
import Testing

/// What a resumed run may change.
@Suite struct ResumableConfigurationTests {
  @Test(arguments: [
    "training.steps=9", "training.checkpoint_every=9", "training.keep_checkpoints=9", "training.log_every=9",
    "training.sample_every=9", "sampling.count=9", "sampling.steps=9", "sampling.clip=false",
    "sampling.sampler=ddim", "sampling.spacing=trailing", "sampling.variance=large", "data.path=/elsewhere",
    "training.recompute_activations=blocks", "training.time_limit_minutes=9", "training.overlap=false",
    "training.release_gradients=true",
    "training.tensorboard=false", "training.save_beside=false", "training.save_timeout_seconds=9",
    "training.hang_timeout_seconds=9", "evaluation.every=9", "evaluation.count=99", "evaluation.features=mine",
    "evaluation.split=test", "evaluation.measures=[kid]", "evaluation.reference_count=99", "training.learning_rate=0.5",
    "training.warmup_steps=9",
    "training.schedule=cosine", "training.checkpoint_every=none", "training.keep_checkpoints=all",
    "training.log_every=none", "training.sample_every=none", "training.save_timeout_seconds=none",
    "training.hang_timeout_seconds=none",
  ])
  func resumedRunMayChangeTheKeysMarkedSo(setting: String) throws {
    let saved = RunConfiguration()
    let resumed = try ConfigurationSources(settings: [setting]).resolve(saved: saved)
    #expect(resumed.difference(from: saved).count == 1)
    try resumed.checkResumable(saved: saved)
  }

  @Test func anotherDataSetIsRefusedOnResumeUnlessItIsAllowed() throws {
    let saved = RunConfiguration()
    let resumed = changed { $0.data.name = "mnist" }
    #expect(throws: ConfigurationError.self) { try resumed.checkResumable(saved: saved) }
    try resumed.checkResumable(saved: saved, otherData: true)
    let smaller = changed { $0.data.flip = true }
    #expect(throws: ConfigurationError.self) { try smaller.checkResumable(saved: saved, otherData: true) }
  }

  @Test func whatWasAutomaticStaysAsItWas() throws {
    let new = changed {
      $0.diffusion.process = .edm
      $0.diffusion.loss = .edm
    }
    var saved = new
    saved.diffusion.sigmaData = 0.7
    #expect(throws: ConfigurationError.self) { try new.checkResumable(saved: saved) }
    try new.resuming(saved).checkResumable(saved: saved)
    var other = new
    other.diffusion.sigmaData = 0.8
    #expect(throws: ConfigurationError.self) { try other.resuming(saved).checkResumable(saved: saved) }
  }

  @Test func everythingElseIsRefusedOnResume() throws {
    let free = ConfigurationKey.all.filter(\.mayChangeOnResume).map(\.name)
    #expect(free.count == 40)
    let saved = RunConfiguration()
    let resumed = changed {
      $0.training.batch = 128
      $0.training.steps = 9
      $0.training.maxGradientNorm = nil
    }
    #expect(
      problems { () throws(ConfigurationError) in try resumed.checkResumable(saved: saved) } == [
        "training.batch is 128, but the run to resume was started with 32; "
          + "keep 32, or start a new run in another --output",
        "training.max_gradient_norm is none, but the run to resume was started with 1.0; "
          + "keep 1.0, or start a new run in another --output",
      ])
  }
}
