import Configuration
import Optimisation
import Testing

private func changed(_ change: (inout RunConfiguration) -> Void) -> RunConfiguration {
  var configuration = RunConfiguration()
  change(&configuration)
  return configuration
}

private func problemsAfter(_ change: (inout RunConfiguration) -> Void) -> [String] {
  let configuration = changed(change)
  return problems { () throws(ConfigurationError) in try configuration.validate() }
}

@Suite struct ConfigurationValidationTests {
  @Test(arguments: Presets.all.map(\.name))
  func presetsAreValid(name: String) throws {
    let configuration = try Presets.named(name).configuration
    try configuration.validate()
    // All data sets so far are 32x32, or are padded to it.
    try configuration.validate(imageSize: 32)
    try configuration.validate(rankCount: configuration.microBatchCount)
  }

  @Test func anAverageThatIsKeptTwiceIsRefused() {
    #expect(
      problemsAfter { $0.training.emaDecays = [0.99, 0.9, 0.99] } == [
        "training.ema_decays is [0.99, 0.9, 0.99], which has a value twice; give each once"
      ])
    #expect(problemsAfter { $0.training.emaDecays = [0.99, 0.9] } == [])
  }

  @Test func defaultsAreTheDefaultPreset() {
    #expect(Presets.default.configuration == RunConfiguration())
    #expect(Presets.all.first?.name == Presets.default.name)
  }

  @Test(arguments: [
    ("data.name=''", "data.name is \"\"; it must be not empty"),
    ("data.path=''", "data.path is \"\"; it must be not empty, or default"),
    ("data.channels=2", "data.channels is 2; it must be 1 or 3, or default"),
    ("model.channels=0", "model.channels is 0; it must be from 1 to 65536"),
    (
      "model.multipliers=[]",
      "model.multipliers is []; it must be a list of 1 to 16 entries, each from 1 to 1024"
    ),
    (
      "model.multipliers=[1, 0]",
      "model.multipliers is [1, 0]; it must be a list of 1 to 16 entries, each from 1 to 1024"
    ),
    (
      "model.attention_resolutions=[0]",
      "model.attention_resolutions is [0]; it must be a list of 0 to 16 entries, each from 1 to 65536"
    ),
    ("model.blocks=0", "model.blocks is 0; it must be from 1 to 64"),
    ("model.heads=0", "model.heads is 0; it must be from 1 to 65536"),
    ("model.head_channels=0", "model.head_channels is 0; it must be from 1 to 65536, or none"),
    ("model.dropout=1", "model.dropout is 1.0; it must be from 0.0 to 0.99"),
    ("model.groups=0", "model.groups is 0; it must be from 1 to 65536"),
    ("model.group_channels=0", "model.group_channels is 0; it must be from 1 to 65536"),
    ("model.attention_init_scale=0", "model.attention_init_scale is 0.0; it must be from 1e-12 to 1000000.0"),
    ("model.fourier_scale=-1", "model.fourier_scale is -1.0; it must be from 0.001 to 1000.0"),
    ("diffusion.steps=1", "diffusion.steps is 1; it must be from 2 to 1000000"),
    ("diffusion.beta_first=0", "diffusion.beta_first is 0.0; it must be above 0.0 and below 1.0"),
    ("diffusion.beta_last=1", "diffusion.beta_last is 1.0; it must be above 0.0 and below 1.0"),
    ("training.steps=0", "training.steps is 0; it must be from 1 to 4294967295"),
    ("training.batch=-4", "training.batch is -4; it must be from 1 to 1048576"),
    ("training.micro_batch=0", "training.micro_batch is 0; it must be from 1 to 1048576"),
    ("training.learning_rate=0", "training.learning_rate is 0.0; it must be from 1e-12 to 1e+40"),
    ("training.warmup_steps=-1", "training.warmup_steps is -1; it must be from 0 to 4294967295"),
    ("training.max_gradient_norm=0", "training.max_gradient_norm is 0.0; it must be from 1e-12 to 1e+30, or none"),
    (
      "training.ema_decays=[1]",
      "training.ema_decays is [1.0]; it must be a list of 1 to 16 entries, each from 0.0 to 0.999999"
    ),
    ("training.adam_beta1=1", "training.adam_beta1 is 1.0; it must be at least 0.0 and below 1.0"),
    ("training.adam_beta2=-0.5", "training.adam_beta2 is -0.5; it must be at least 0.0 and below 1.0"),
    ("training.adam_epsilon=0", "training.adam_epsilon is 0.0; it must be from 1e-30 to 1.0"),
    ("training.checkpoint_every=0", "training.checkpoint_every is 0; it must be from 1 to 4294967295, or none"),
    ("training.keep_checkpoints=0", "training.keep_checkpoints is 0; it must be from 1 to 4294967295, or all"),
    ("training.log_every=0", "training.log_every is 0; it must be from 1 to 4294967295, or none"),
    ("training.sample_every=0", "training.sample_every is 0; it must be from 1 to 4294967295, or none"),
    ("sampling.count=0", "sampling.count is 0; it must be from 1 to 65536"),
    ("sampling.steps=0", "sampling.steps is 0; it must be from 1 to 1000000"),
    ("sampling.eta=1.5", "sampling.eta is 1.5; it must be from 0.0 to 1.0"),
    ("sampling.corrections=-1", "sampling.corrections is -1; it must be from 0 to 1000000"),
    ("sampling.snr=0", "sampling.snr is 0.0; it must be above 0.0 and at most 1000000000.0"),
    ("sampling.tolerance=0", "sampling.tolerance is 0.0; it must be above 0.0 and at most 1000000000.0"),
    ("sampling.churn=-1", "sampling.churn is -1.0; it must be from 0.0 to 1000000000.0"),
    ("sampling.churn_min=-1", "sampling.churn_min is -1.0; it must be from 0.0 to 1000000000.0"),
    ("sampling.churn_max=-1", "sampling.churn_max is -1.0; it must be from 0.0 to 1000000000.0, or none"),
    ("sampling.churn_noise=0", "sampling.churn_noise is 0.0; it must be above 0.0 and at most 1000000000.0"),
    ("sampling.guidance=1e10", "sampling.guidance is 10000000000.0; it must be from -1000000000.0 to 1000000000.0"),
  ])
  func valueOutOfRangeNamesKeyValueAndRange(setting: String, message: String) {
    let found = problems { () throws(ConfigurationError) in
      _ = try ConfigurationSources(settings: [setting]).resolve()
    }
    #expect(found == [message])
  }

  /// No number is so large that what follows from it could not be computed with.
  @Test(arguments: ConfigurationKey.all.map(\.name))
  func hugeNumbersAreRefusedOrHarmless(name: String) throws {
    for number in ["4611686018427387904", "9223372036854775807", "-9223372036854775808", "1e308", "-1e308"] {
      for value in [number, "[\(number)]", "[1, \(number)]"] {
        guard let configuration = try? ConfigurationSources(settings: ["\(name)=\(value)"]).resolve() else { continue }
        // Texts; real numbers that are only multiplied; and noise levels, which the default process does not have.
        let harmless = [
          "seed", "data.name", "data.path", "evaluation.features", "diffusion.sigma_min", "diffusion.sigma_max",
          "training.learning_rate", "training.max_gradient_norm",
        ]
        #expect(harmless.contains(name), "\(name)=\(value)")
        _ = configuration.yaml
      }
    }
  }

  @Test func levelsHaveNoMoreChannelsThanNumbersCanCount() {
    #expect(
      problemsAfter {
        $0.model.channels = 65536
        $0.model.multipliers = [1, 1024]
      } == [
        "model.channels is 65536 and model.multipliers [1, 1024], which makes levels of 67108864 channels; they may have "
          + "at most 65536"
      ])
  }

  @Test(arguments: [
    ("beta_last=0.999", "at time 348.0 the image is lost in the noise"),
    ("steps=40000", "at time 16441.0 the image is lost in the noise"),
    ("process=ve sigma_max=1e30", "at time 531.0 the image is lost in the noise"),
    ("process=ve-sde sigma_max=1e30", "at time 0.532"),
    ("process=edm sigma_max=1e30 loss=edm", "the image is lost in the noise"),
    ("process=edm sigma_min=1e-30", "there is too little noise"),
    ("beta_first=1e-17 beta_last=1e-17", "there is too little noise, or too little more than before"),
  ])
  func processesThatFloatsCannotHoldAreRefused(settings: String, message: String) {
    let found = problems { () throws(ConfigurationError) in
      _ = try ConfigurationSources(settings: settings.split(separator: " ").map { "diffusion.\($0)" }).resolve()
    }
    #expect(found.count == 1)
    #expect(found.first?.contains(message) == true, "\(found)")
  }

  @Test func withoutSignalAtTheEndTheNetworkIsAskedForTheImage() throws {
    func found(_ settings: String...) -> [String] {
      problems { () throws(ConfigurationError) in
        _ = try ConfigurationSources(
          settings: ["diffusion.zero_terminal_snr=true"] + settings.map { "diffusion.\($0)" }
        )
        .resolve()
      }
    }
    #expect(found("prediction=velocity") == [])
    #expect(found("prediction=data", "schedule=cosine") == [])
    #expect(found("prediction=data", "loss=variational") == [])
    for prediction in ["noise", "score", "mean"] {
      #expect(
        found("prediction=\(prediction)") == [
          "diffusion.prediction: with zero_terminal_snr the last step has nothing of the image, so that noise, score and "
            + "mean do not tell it; take velocity or data"
        ])
    }
    for loss in ["min-snr", "score-matching"] {
      #expect(
        found("prediction=velocity", "loss=\(loss)") == [
          "diffusion.loss: \(loss) would not train the last step, whose signal-to-noise ratio zero_terminal_snr makes 0; "
            + "take simple"
        ])
    }
    #expect(
      found("process=vp-sde", "prediction=velocity") == [
        "diffusion.zero_terminal_snr is true, which is for diffusion.process vp; diffusion.process is vp-sde, so leave "
          + "diffusion.zero_terminal_snr at its default, false"
      ])
  }

  @Test func batchMustBeWholeMicroBatches() {
    #expect(
      problemsAfter {
        $0.training.batch = 100
        $0.training.microBatch = 8
      } == [
        "training.batch is 100, which training.micro_batch 8 does not divide; choose a batch that is a multiple of it"
      ])
  }

  @Test func channelsMustFillTheGroups() {
    #expect(
      problemsAfter { $0.model.channels = 36 } == [
        "model.channels is 36, which model.groups 8 does not divide; "
          + "choose channels that are a multiple of it, or fewer groups"
      ])
  }

  @Test func layersOfFewChannelsMayHaveFewerGroups() throws {
    var configuration = RunConfiguration()
    configuration.model.architecture.minimumChannelsPerGroup = 4
    configuration.model.channels = 16
    configuration.model.groups = 32
    try configuration.validate()
    // 16, 32 and 64 channels, and sums of two of these: none above 128, where 32 groups begin.
    configuration.model.multipliers = [1, 2, 4]
    try configuration.validate()
    // Of 4 and 5 times 16 channels together, 32 groups cannot be made.
    configuration.model.multipliers = [1, 4, 5]
    #expect(
      problems { () throws(ConfigurationError) in try configuration.validate() } == [
        "model.groups is 32, which does not divide 144 channels, as one normalisation has with model.channels 16 and "
          + "model.multipliers [1, 4, 5]; choose channels that are a multiple of it, or fewer groups"
      ])
    configuration.model.channels = 18
    #expect(
      problems { () throws(ConfigurationError) in try configuration.validate() } == [
        "model.channels is 18, which model.group_channels 4 does not divide; choose channels that are a multiple of it"
      ])
  }

  @Test func featuresOfTheNoiseNeedAProcessWithNoiseInEveryStep() {
    #expect(
      problemsAfter { $0.model.architecture.timeFeatures = .fourier } == [
        "model.embedding is fourier, features of a logarithm that step 0 of diffusion.process vp does not have; take "
          + "vp-sde, or model.embedding sinusoidal"
      ])
    for process in RunConfiguration.DiffusionSettings.Process.allCases where process != .discreteVariancePreserving {
      let found = problemsAfter {
        $0.model.architecture.timeFeatures = .fourier
        $0.diffusion.process = process
      }
      #expect(found.isEmpty)
    }
  }

  @Test func onlyAnExplodingNoiseThatIsToldDividesTheOutput() {
    #expect(
      problemsAfter {
        $0.model.architecture.dividesOutputByNoise = true
        $0.diffusion.process = .varianceExploding
      } == ["model.scale_by_sigma is true, but the network is not told the noise; set model.embedding to fourier"])
    #expect(
      problemsAfter {
        $0.model.architecture.dividesOutputByNoise = true
        $0.model.architecture.timeFeatures = .fourier
        $0.diffusion.process = .variancePreserving
      } == [
        "model.scale_by_sigma is true, which is for diffusion.process ve and ve-sde; diffusion.process is vp-sde, so "
          + "leave model.scale_by_sigma at its default, false"
      ])
    #expect(
      problemsAfter {
        $0.model.architecture.dividesOutputByNoise = true
        $0.model.architecture.timeFeatures = .fourier
        $0.diffusion.process = .discreteVarianceExploding
        $0.diffusion.variance = .learned
        $0.diffusion.loss = .hybrid
      } == [
        "model.scale_by_sigma is true, which does not go with a variance that the network learns; diffusion.variance is "
          + "learned"
      ])
  }

  @Test func onlyTimesThatAreStepsAreRescaled() throws {
    #expect(
      problemsAfter {
        $0.diffusion.rescaleTimes = true
        $0.diffusion.process = .subVariancePreserving
      } == [
        "diffusion.rescale_times is true, which is for diffusion.process vp and ve; diffusion.process is sub-vp-sde, so "
          + "leave diffusion.rescale_times at its default, false"
      ])
    #expect(
      problemsAfter {
        $0.diffusion.rescaleTimes = true
        $0.diffusion.process = .discreteVarianceExploding
        $0.model.architecture.timeFeatures = .fourier
      } == [
        "diffusion.rescale_times is true, but with model.embedding fourier the network is told the noise's logarithm, not "
          + "the step; set one of them to its default"
      ])
    let improved = try Presets.named("cifar10-improved").configuration
    #expect(try improved.modelDescription().networkTime(at: 3998) == 999.5)
  }

  @Test func noiseMustNotShrink() {
    #expect(
      problemsAfter { $0.diffusion.betaFirst = 0.5 } == [
        "diffusion.beta_last is 0.02, less than diffusion.beta_first 0.5; the noise must not shrink"
      ])
  }

  @Test func samplingCannotTakeMoreStepsThanTheProcessHas() {
    #expect(
      problemsAfter { $0.diffusion.steps = 50 } == [
        "sampling.steps: cannot sample in \(RunConfiguration().sampling.steps) steps; the process has 50, so give 1 to 50"
      ])
    // An equation may be solved in more.
    #expect(
      problemsAfter {
        $0.diffusion.steps = 50
        $0.sampling.name = .odeHeun
      } == [])
  }

  @Test func samplersThatCannotDrawAreRefused() {
    #expect(
      problemsAfter {
        $0.diffusion.process = .variancePreserving
        $0.sampling.name = .ddim
      }.first?.hasPrefix("sampling.sampler: ddim needs a discrete process") == true)
    #expect(
      problemsAfter { $0.sampling.variance = .learned }.first?.hasPrefix(
        "sampling.variance: learned needs a model that was trained with diffusion.variance=learned") == true)
  }

  @Test func guidanceNeedsClassesAndANetworkThatKnowsToDoWithout() {
    #expect(
      problemsAfter { $0.sampling.guidance = 2 } == [
        "sampling.guidance is 2.0, but the network is told no classes; set model.classes to the number of the data set's "
          + "classes"
      ])
    #expect(
      problemsAfter {
        $0.sampling.guidance = 2
        $0.model.classes = 10
      } == [
        "sampling.guidance is 2.0, but the network is always told the class; set training.label_dropout above 0"
      ])
    #expect(
      problemsAfter {
        $0.sampling.guidance = 2
        $0.model.classes = 10
        $0.training.labelDropout = 0.1
      } == [])
  }

  @Test func severalProblemsAreReportedTogether() {
    let found = problemsAfter {
      $0.training.batch = 0
      $0.training.steps = 0
    }
    #expect(found.count == 2)
  }

  @Test func moreRanksThanMicroBatchesAreRefused() {
    let configuration = changed {
      $0.training.batch = 64
      $0.training.microBatch = 8
    }
    #expect(problems { () throws(ConfigurationError) in try configuration.validate(rankCount: 8) } == [])
    #expect(
      problems { () throws(ConfigurationError) in try configuration.validate(rankCount: 12) } == [
        "training.batch 64 in pieces of training.micro_batch 8 makes 8 micro-batches, fewer than the 12 ranks; "
          + "run at most 8 ranks, or use a larger training.batch or a smaller training.micro_batch"
      ])
  }

  @Test func imageMustHalveOncePerLevel() {
    let configuration = changed { $0.model.multipliers = [1, 2, 2, 2] }
    #expect(
      problems { () throws(ConfigurationError) in try configuration.validate(imageSize: 28) } == [
        "model.multipliers is [1, 2, 2, 2], whose 4 levels halve the image 3 times, which images of 28x28 pixels do "
          + "not allow; use fewer multipliers, or images whose size is a multiple of 8"
      ])
  }

  @Test(arguments: [[0, 32, 1], [32, -8, 1], [32, 32, 0], [1 << 62, 32, 1], [32, 1 << 62, 3], [32, 32, 1 << 62]])
  func imagesOfImpossibleSizesAreRefused(shape: [Int]) {
    let message = "images of \(shape.map(String.init).joined(separator: "x")) are not possible"
    let configuration = RunConfiguration()
    for make in [
      { _ = try configuration.network(height: shape[0], width: shape[1], channels: shape[2]) },
      { _ = try configuration.classifier(height: shape[0], width: shape[1], channels: shape[2], classCount: 10) },
    ] {
      #expect { try make() } throws: { error in
        (error as? ConfigurationError)?.problems.first?.hasPrefix(message) == true
      }
    }
    for count in [0, -1, 1 << 62] {
      #expect(throws: ConfigurationError.self) {
        try configuration.classifier(height: 32, width: 32, channels: 1, classCount: count)
      }
    }
  }

  @Test func attentionMustBeAtALevelOfTheNetwork() {
    let configuration = changed { $0.model.attentionResolutions = [8, 12] }
    #expect(
      problems { () throws(ConfigurationError) in try configuration.validate(imageSize: 32) } == [
        "model.attention_resolutions has 12, a resolution that the network does not have; with images of 32x32 pixels "
          + "and model.multipliers [1, 2, 2] it has 32, 16, 8"
      ])
    #expect(configuration.resolutions(imageSize: 32) == [32, 16, 8])
  }

  @Test func headsMustShareTheChannelsOfEveryAttentionEqually() throws {
    // 32, 64 and 128 channels; attention at the second level, and in the middle of the third.
    let choice =
      "choose a number that divides the channels of every level with attention, and of the lowest level, whose "
      + "middle always has it"
    func found(_ heads: Int, _ channels: Int?) -> [String] {
      let configuration = changed {
        $0.model.multipliers = [1, 2, 4]
        $0.model.attentionResolutions = [16]
        $0.model.architecture.headCount = heads
        $0.model.architecture.headChannels = channels
      }
      return problems { () throws(ConfigurationError) in try configuration.validate(imageSize: 32) }
    }
    for heads in [1, 4, 64] { #expect(found(heads, nil).isEmpty) }
    for channels in [1, 8, 64] { #expect(found(1, channels).isEmpty) }
    #expect(
      found(3, nil)
        == [(64, 16), (128, 8)].map { channels, size in
          "model.heads is 3, which does not divide the \(channels) channels of the attention at \(size)x\(size) pixels; "
            + choice
        })
    #expect(
      found(1, 128) == [
        "model.head_channels is 128, which does not divide the 64 channels of the attention at 16x16 pixels; " + choice
      ])
    let small = changed { $0.model.architecture.headChannels = 48 }
    #expect(throws: ConfigurationError.self) { try small.network(height: 32, width: 32, channels: 1) }
  }

  @Test func headsAreCountedInOneWay() {
    #expect(
      problemsAfter {
        $0.model.architecture.headCount = 4
        $0.model.architecture.headChannels = 8
      } == [
        "model.heads is 4 and model.head_channels is 8, but one decides the other; set model.heads to 1, or "
          + "model.head_channels to none"
      ])
  }

  @Test(arguments: [
    "training.steps=9", "training.checkpoint_every=9", "training.keep_checkpoints=9", "training.log_every=9",
    "training.sample_every=9", "sampling.count=9", "sampling.steps=9", "sampling.clip=false",
    "sampling.sampler=ddim", "sampling.spacing=trailing", "sampling.variance=large", "data.path=/elsewhere",
    "training.recompute_activations=blocks", "training.time_limit_minutes=9", "training.overlap=false",
    "training.tensorboard=false", "training.save_beside=false", "training.save_timeout_seconds=9",
    "training.hang_timeout_seconds=9", "evaluation.every=9", "evaluation.count=99", "evaluation.features=mine",
    "evaluation.split=test", "evaluation.reference_count=99", "training.learning_rate=0.5", "training.warmup_steps=9",
    "training.schedule=cosine", "training.checkpoint_every=none", "training.keep_checkpoints=all",
    "training.log_every=none", "training.sample_every=none", "training.save_timeout_seconds=none",
    "training.hang_timeout_seconds=none",
  ])
  func resumedRunMayChangeWhatTheKeysSay(setting: String) throws {
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

  @Test func aPlaceWhereTheLearningRateFallsMustMeanSomething() {
    #expect(
      problemsAfter { $0.training.decayStart = 500 } == [
        "training.decay_start is 500, but with training.schedule constant the learning rate does not fall; set one of "
          + "them to another value"
      ])
    #expect(
      problemsAfter {
        $0.training.schedule = .linear
        $0.training.decayStart = 99
      } == ["training.decay_start is 99, less than training.warmup_steps 100; it must be at least that"])
    for schedule in [LearningRateSchedule.Decay.cosine, .linear, .inverseSquareRoot] {
      let problems = problemsAfter {
        $0.training.schedule = schedule
        $0.training.decayStart = 3000
      }
      let isRefused = schedule != .inverseSquareRoot
      #expect(
        problems
          == (isRefused ? ["training.decay_start is 3000, but training.steps is 3000; it must be less than that"] : []))
      #expect(
        problemsAfter {
          $0.training.schedule = schedule
          $0.training.decayStart = 100
        } == [])
    }
  }

  @Test func everythingElseIsRefusedOnResume() throws {
    let free = ConfigurationKey.all.filter(\.mayChangeOnResume).map(\.name)
    #expect(free.count == 25)
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

  @Test func keysHaveUniqueNamesAndHelp() {
    let names = ConfigurationKey.all.map(\.name)
    #expect(Set(names).count == names.count)
    let lines = ConfigurationKey.reference.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count < 80 })
    let words = lines.joined(separator: " ").split(separator: " ").joined(separator: " ")
    for key in ConfigurationKey.all {
      #expect(!key.help.isEmpty)
      #expect(words.contains("\(key.name) \(key.help)"))
    }
  }
}
