import Configuration
import Optimisation
import Testing

@Suite struct ConfigurationValidationTests {
  @Test(arguments: Presets.all.map(\.name))
  func presetsAreValid(name: String) throws {
    let preset = try Presets.named(name)
    let configuration = preset.configuration
    try configuration.validate()
    let shape = try #require(preset.imageShape(for: configuration))
    try configuration.validate(height: shape[0], width: shape[1])
    try configuration.validate(rankCount: configuration.microBatchCount)
  }

  @Test func theShapeOfAPresetsImagesFollowsTheDataSet() throws {
    let shapes = try Presets.named("shapes")
    #expect(shapes.imageShape(for: shapes.configuration) == [32, 32, 3])
    let imageNet = try Presets.named("imagenet64-adm")
    var configuration = imageNet.configuration
    #expect(imageNet.imageShape(for: configuration) == [64, 64, 3])
    // The user's own images do not determine it.
    #expect(shapes.imageShape(for: configuration) == nil)
    configuration.data.name = "folder"
    configuration.data.channels = 1
    #expect(imageNet.imageShape(for: configuration) == [64, 64, 1])
    configuration.data.name = "fashion-mnist"
    #expect(imageNet.imageShape(for: configuration) == [32, 32, 1])
  }

  @Test func duplicateAveragesAreRefused() {
    #expect(
      problemsAfter { $0.training.emaDecays = [0.99, 0.9, 0.99] } == [
        "training.ema_decays is [0.99, 0.9, 0.99], which has a value twice; give each value once"
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
    ("data.channels=0", "data.channels is 0; it must be from 1 to 64, or default"),
    ("data.conditions=['']", "data.conditions is [\"\"]; it must be a list of 0 to 1024 entries, each not empty"),
    ("diffusion.sigma_data=0", "diffusion.sigma_data is 0.0; it must be from 0.001 to 1e6, or auto"),
    ("training.condition_dropout=1", "training.condition_dropout is 1.0; it must be at least 0.0 and below 1.0"),
    ("evaluation.members=1", "evaluation.members is 1; it must be from 2 to 1024"),
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
    ("model.attention_init_scale=0", "model.attention_init_scale is 0.0; it must be from 1e-12 to 1e6"),
    ("model.fourier_scale=-1", "model.fourier_scale is -1.0; it must be from 0.001 to 1000.0"),
    ("diffusion.steps=1", "diffusion.steps is 1; it must be from 2 to 1000000"),
    ("diffusion.beta_first=0", "diffusion.beta_first is 0.0; it must be above 0.0 and below 1.0"),
    ("diffusion.beta_last=1", "diffusion.beta_last is 1.0; it must be above 0.0 and below 1.0"),
    ("training.steps=0", "training.steps is 0; it must be from 1 to 4294967295"),
    ("training.batch=-4", "training.batch is -4; it must be from 1 to 1048576"),
    ("training.micro_batch=0", "training.micro_batch is 0; it must be from 1 to 1048576"),
    ("training.learning_rate=0", "training.learning_rate is 0.0; it must be from 1e-12 to 1e40"),
    ("training.warmup_steps=-1", "training.warmup_steps is -1; it must be from 0 to 4294967295"),
    ("training.max_gradient_norm=0", "training.max_gradient_norm is 0.0; it must be from 1e-12 to 1e30, or none"),
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
    ("sampling.snr=0", "sampling.snr is 0.0; it must be above 0.0 and at most 1e9"),
    ("sampling.tolerance=0", "sampling.tolerance is 0.0; it must be above 0.0 and at most 1e9"),
    ("sampling.churn=-1", "sampling.churn is -1.0; it must be from 0.0 to 1e9"),
    ("sampling.churn_min=-1", "sampling.churn_min is -1.0; it must be from 0.0 to 1e9"),
    ("sampling.churn_max=-1", "sampling.churn_max is -1.0; it must be from 0.0 to 1e9, or none"),
    ("sampling.churn_noise=0", "sampling.churn_noise is 0.0; it must be above 0.0 and at most 1e9"),
    ("sampling.guidance=1e10", "sampling.guidance is 10000000000.0; it must be from -1e9 to 1e9"),
  ])
  func valueOutOfRangeNamesKeyValueAndRange(setting: String, message: String) {
    let found = problems { () throws(ConfigurationError) in
      _ = try ConfigurationSources(settings: [setting]).resolve()
    }
    #expect(found == [message])
  }

  /// No number may be so large that a derived quantity overflows.
  @Test(arguments: ConfigurationKey.all.map(\.name))
  func hugeNumbersAreRefusedOrHarmless(name: String) throws {
    for number in ["4611686018427387904", "9223372036854775807", "-9223372036854775808", "1e308", "-1e308"] {
      for value in [number, "[\(number)]", "[1, \(number)]"] {
        guard let configuration = try? ConfigurationSources(settings: ["\(name)=\(value)"]).resolve() else { continue }
        // Texts; real numbers that are only multiplied; and noise levels, which the default process does not use.
        let harmless = [
          "seed", "data.name", "data.path", "data.conditions", "evaluation.features", "evaluation.measures",
          "diffusion.sigma_min", "diffusion.sigma_max",
          "training.learning_rate", "training.max_gradient_norm",
        ]
        #expect(harmless.contains(name), "\(name)=\(value)")
        _ = configuration.yaml
      }
    }
  }

  @Test(arguments: [
    ("beta_last=0.999", "at time 348.0 the image is lost in the noise"),
    ("steps=40000", "at time 16441.0 the image is lost in the noise"),
    ("process=ve sigma_max=1e30", "at time 531.0 the image is lost in the noise"),
    ("process=ve-sde sigma_max=1e30", "at time 0.532"),
    ("process=edm sigma_max=1e30 loss=edm", "the image is lost in the noise"),
    ("process=edm sigma_min=1e-30", "the noise, or the noise added since the previous step, is too small"),
    ("beta_first=1e-17 beta_last=1e-17", "the noise, or the noise added since the previous step, is too small"),
  ])
  func processesBeyondTheRangeOfFloatsAreRefused(settings: String, message: String) {
    let found = problems { () throws(ConfigurationError) in
      _ = try ConfigurationSources(settings: settings.split(separator: " ").map { "diffusion.\($0)" }).resolve()
    }
    #expect(found.count == 1)
    #expect(found.first?.contains(message) == true, "\(found)")
  }

  @Test func zeroTerminalSNRNeedsAPredictionThatDeterminesTheImage() throws {
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
          "diffusion.prediction: with zero_terminal_snr the last step leaves nothing of the image, so noise, score and "
            + "mean do not determine it; use velocity or data"
        ])
    }
    for loss in ["min-snr", "score-matching"] {
      #expect(
        found("prediction=velocity", "loss=\(loss)") == [
          "diffusion.loss: \(loss) does not train the last step, whose signal-to-noise ratio is 0 with zero_terminal_snr;"
            + " use simple"
        ])
    }
    #expect(
      found("process=vp-sde", "prediction=velocity") == [
        "diffusion.zero_terminal_snr is true, which requires diffusion.process vp; diffusion.process is vp-sde, so leave "
          + "diffusion.zero_terminal_snr at its default, false"
      ])
  }

  @Test func batchMustBeAMultipleOfTheMicroBatch() {
    #expect(
      problemsAfter {
        $0.training.batch = 100
        $0.training.microBatch = 8
      } == [
        "training.batch is 100, which training.micro_batch 8 does not divide; choose a batch that is a multiple of it"
      ])
  }

  @Test func noiseMustNotDecrease() {
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
    // A differential equation may be solved in more steps.
    #expect(
      problemsAfter {
        $0.diffusion.steps = 50
        $0.sampling.name = .odeHeun
      } == [])
  }

  @Test func samplersThatDoNotSuitTheModelAreRefused() {
    #expect(
      problemsAfter {
        $0.diffusion.process = .variancePreserving
        $0.sampling.name = .ddim
      }.first?.hasPrefix("sampling.sampler: ddim needs a discrete process") == true)
    #expect(
      problemsAfter { $0.sampling.variance = .learned }.first?.hasPrefix(
        "sampling.variance: learned needs a model that was trained with diffusion.variance=learned") == true)
  }

  @Test func guidanceNeedsClassesAndLabelDropout() {
    #expect(
      problemsAfter { $0.sampling.guidance = 2 } == [
        "sampling.guidance is 2.0, but the network has no classes; set model.classes to the number of the data set's "
          + "classes, or for fields data.conditions"
      ])
    #expect(
      problemsAfter {
        $0.sampling.guidance = 2
        $0.model.classes = 10
      } == [
        "sampling.guidance is 2.0, but the network is always conditioned on the class; set training.label_dropout above 0"
      ])
    #expect(
      problemsAfter {
        $0.sampling.guidance = 2
        $0.model.classes = 10
        $0.training.labelDropout = 0.1
      } == [])
  }

  @Test func guidanceTowardsGivenChannelsNeedsTheirDropout() {
    func found(_ dropout: Double) -> [String] {
      problemsAfter {
        $0.sampling.guidance = 2
        $0.data.conditions = ["grey"]
        $0.training.conditionDropout = dropout
      }
    }
    #expect(found(0.1) == [])
    #expect(
      found(0) == [
        "sampling.guidance is 2.0, but the network always gets the channels of data.conditions; set "
          + "training.condition_dropout above 0"
      ])
  }

  @Test func conditionsMustFitTheDataSet() {
    #expect(
      problemsAfter { $0.data.conditions = ["u", "u"] } == [
        "data.conditions is [u, u], which has a name twice; give each name once"
      ])
    #expect(
      problemsAfter {
        $0.data.name = "gaussian-field"
        $0.data.conditions = ["field_1"]
      } == [
        "data.conditions is [field_1], which leaves none of the variables of gaussian-field to be drawn; set "
          + "data.channels above 1"
      ])
    #expect(
      problemsAfter {
        $0.data.name = "folder"
        $0.data.channels = 2
      } == ["data.channels is 2; with data.name folder it must be 1 or 3, or default"])
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
        "training.batch 64 with training.micro_batch 8 gives 8 micro-batches, fewer than the 12 ranks; "
          + "run at most 8 ranks, or use a larger training.batch or a smaller training.micro_batch"
      ])
  }

  @Test func decayStartMustHaveAnEffect() {
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
