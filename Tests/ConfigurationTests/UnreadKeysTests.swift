import Configuration
import Testing

/// A key that is set but not used is refused.
struct UnreadKeysTests {
  @Test(arguments: [
    "data.background=white", "data.channels=3", "data.orientation=as-stored", "data.normalisation=range",
    "training.condition_dropout=0.5", "evaluation.members=4", "diffusion.sigma_data=1.0", "diffusion.p_mean=0.0",
    "model.fourier_scale=2",
    "model.progressive_combine=cat", "diffusion.sigma_min=0.02", "diffusion.sigma_max=60",
    "diffusion.scale_input=false", "sampling.eta=0.5", "sampling.corrections=2", "sampling.snr=0.2",
    "sampling.tolerance=0.1", "sampling.churn=1.0", "sampling.churn_min=1.0", "sampling.churn_max=1.0",
    "sampling.churn_noise=2.0",
  ])
  func aKeyWithoutEffectIsRefused(setting: String) throws {
    try requireUnread(setting, besides: [])
  }

  @Test(arguments: [
    "diffusion.steps=500", "diffusion.rescale_times=true", "diffusion.time_sampling=loss-aware",
    "diffusion.variance=large", "diffusion.schedule=sigmoid", "diffusion.beta_first=0.001", "diffusion.beta_last=0.03",
    "diffusion.zero_terminal_snr=true", "diffusion.prediction=data",
  ])
  func aKeyOfAnotherProcessIsRefused(setting: String) throws {
    try requireUnread(setting, besides: ["diffusion.process=edm", "diffusion.loss=edm"])
  }

  @Test(arguments: ["diffusion.beta_first=0.001", "diffusion.beta_last=0.03"])
  func cosineScheduleHasNoBetaKeys(setting: String) throws {
    try requireUnread(setting, besides: ["diffusion.schedule=cosine"])
  }

  /// Refused if it is set, dropped if a run has stored it.
  private func requireUnread(_ setting: String, besides others: [String]) throws {
    let usual = try ConfigurationSources(settings: others).resolve()
    let (name, value) = (setting.prefix { $0 != "=" }, setting.drop { $0 != "=" }.dropFirst())
    let error = #expect(throws: ConfigurationError.self) {
      try ConfigurationSources(settings: others + [setting]).resolve()
    }
    let problems = try #require(error?.problems)
    #expect(problems.contains { $0.hasPrefix("\(name) is \(value)") && $0.contains("leave \(name) at its default, ") })

    let parts = name.split(separator: ".")
    var section = ""
    let stored = usual.yaml.split(separator: "\n").map { line in
      if !line.hasPrefix(" ") { section = String(line.prefix { $0 != ":" }) }
      return section == parts[0] && line.hasPrefix("  \(parts[1]): ") ? "  \(parts[1]): \(value)" : String(line)
    }
    #expect(
      try RunConfiguration(ofRun: stored.joined(separator: "\n"), file: "config.yaml") == usual.withSigmaDataOfImages())
  }

  @Test(arguments: ["sampling.churn_min=1.0", "sampling.churn_max=1.0", "sampling.churn_noise=2.0"])
  func churnKeysNeedChurn(setting: String) throws {
    try requireUnread(setting, besides: ["sampling.sampler=edm"])
  }

  @Test func adaptiveSamplerHasNoNumberOfSteps() throws {
    try requireUnread("sampling.steps=20", besides: ["sampling.sampler=ode-rk45"])
  }

  /// The preset trains noise levels of its own choice, which another loss does not use.
  @Test func presetsKeyThatIsNotUsedAnyMoreIsDropped() throws {
    let ofPreset = try ConfigurationSources(preset: "fields").resolve().diffusion.levels
    let settings = ["diffusion.loss=simple"]
    let levels = try ConfigurationSources(preset: "fields", settings: settings).resolve().diffusion.levels
    #expect(levels == RunConfiguration().diffusion.levels)
    #expect(levels != ofPreset)
    let error = #expect(throws: ConfigurationError.self) {
      try ConfigurationSources(preset: "fields", settings: settings + ["diffusion.p_mean=0"]).resolve()
    }
    #expect(error?.problems.map { $0.contains("diffusion.p_mean is 0.0") } == [true])
  }

  @Test func everyScopeNamesExistingKeys() throws {
    for scope in KeyScope.all {
      #expect(ConfigurationKey.named(scope.key) != nil)
      #expect(ConfigurationKey.named(scope.decider) != nil)
    }
  }
}
