import Configuration
import Testing

/// The problems that `body` reports.
func problems(_ body: () throws(ConfigurationError) -> Void) -> [String] {
  do {
    try body()
    return []
  } catch {
    return error.problems
  }
}

private func parsingProblems(_ yaml: String) -> [String] {
  problems { () throws(ConfigurationError) in _ = try RunConfiguration(yaml: yaml, file: "run.yaml") }
}

@Suite struct ConfigurationParsingTests {
  @Test func emptyTextAndCommentsGiveTheDefaults() throws {
    #expect(try RunConfiguration(yaml: "", file: "run.yaml") == RunConfiguration())
    #expect(try RunConfiguration(yaml: "# nothing\ntraining:\n  # batch: 3\n", file: "run.yaml") == RunConfiguration())
  }

  @Test func everyTypeOfValueIsRead() throws {
    let yaml = """
      seed: 18446744073709551615
      data: {name: cifar10, path: "/data/with space", flip: true}
      model:
        channels: 64
        multipliers: [1, 2]
        attention_resolutions: []
        head_channels: 16
        time_conditioning: scale-shift
        dropout: 0.1
      diffusion:
        variance: large
        beta_first: 1e-3
      training.max_gradient_norm: none
      training:
        ema_decays: [0.99, 0.9999]
        recompute_activations: blocks
      sampling:
        clip: false
      """
    var expected = RunConfiguration()
    expected.seed = .max
    expected.data.name = "cifar10"
    expected.data.path = "/data/with space"
    expected.data.flip = true
    expected.model.channels = 64
    expected.model.multipliers = [1, 2]
    expected.model.attentionResolutions = []
    expected.model.architecture.headChannels = 16
    expected.model.architecture.timeConditioning = .scaleShift
    expected.model.dropout = 0.1
    expected.diffusion.variance = .large
    expected.diffusion.betaFirst = 1e-3
    expected.training.maxGradientNorm = nil
    expected.training.emaDecays = [0.99, 0.9999]
    expected.training.recomputeActivations = .blocks
    expected.sampling.clipsOriginal = false
    #expect(try RunConfiguration(yaml: yaml, file: "run.yaml") == expected)
  }

  @Test func keysWithoutAValueAreReadAsAbsent() throws {
    let yaml = "data: {path: default, flip: null}\ntraining: {max_gradient_norm: ~}"
    let configuration = try RunConfiguration(yaml: yaml, file: "run.yaml")
    #expect(configuration.data.path == nil)
    #expect(configuration.data.flip == nil)
    #expect(configuration.training.maxGradientNorm == nil)
  }

  @Test func quotedWordsForAbsenceAreText() throws {
    #expect(try RunConfiguration(yaml: "data: {path: 'default'}", file: "run.yaml").data.path == "default")
  }

  @Test func unknownKeyNamesItsLineAndTheNearestKey() {
    #expect(
      parsingProblems("seed: 1\ntraining:\n  learning_rat: 1e-3") == [
        "run.yaml:3: there is no key training.learning_rat; did you mean training.learning_rate?"
      ])
  }

  @Test func unknownKeySuggestsAKeyInAnotherSection() {
    #expect(parsingProblems("batch: 64") == ["run.yaml:1: there is no key batch; did you mean training.batch?"])
    #expect(
      parsingProblems("model:\n  micro_batch: 8") == [
        "run.yaml:2: there is no key model.micro_batch; did you mean training.micro_batch?"
      ])
  }

  @Test func unknownKeyWithoutASimilarOneListsItsSection() {
    #expect(
      parsingProblems("sampling:\n  temperature: 3") == [
        "run.yaml:2: there is no key sampling.temperature; its keys are sampling.count, sampling.sampler, "
          + "sampling.steps, sampling.spacing, sampling.clip, sampling.variance, sampling.eta, sampling.corrections, "
          + "sampling.snr, sampling.tolerance, sampling.churn, sampling.churn_min, sampling.churn_max, "
          + "sampling.churn_noise, sampling.guidance"
      ])
    #expect(
      parsingProblems("optimiser: adam") == [
        "run.yaml:1: there is no key optimiser; keys start with seed, data, model, diffusion, training, sampling, "
          + "evaluation"
      ])
  }

  @Test(arguments: [
    ("training.steps: many", "training.steps is many; expected a whole number"),
    ("training.steps: 1.5", "training.steps is 1.5; expected a whole number"),
    ("training.steps: \"100\"", "training.steps is \"100\"; expected a whole number"),
    ("training.steps:", "training.steps has no value; expected a whole number"),
    ("training.learning_rate: fast", "training.learning_rate is fast; expected a number"),
    ("training.learning_rate: .nan", "training.learning_rate is .nan; expected a number"),
    ("training.learning_rate: 1e999", "training.learning_rate is 1e999; expected a number"),
    ("training.max_gradient_norm: off", "training.max_gradient_norm is off; expected a number, or none"),
    ("model.multipliers: 1,2,2", "model.multipliers is 1,2,2; expected a list of whole numbers, like [1, 2, 2]"),
    ("model.multipliers: [1, x]", "model.multipliers is [1, x]; expected a list of whole numbers, like [1, 2, 2]"),
    ("training.ema_decays: 0.9", "training.ema_decays is 0.9; expected a list of numbers, like [0.999, 0.9999]"),
    ("sampling.clip: yes", "sampling.clip is yes; expected true or false"),
    ("data.flip: maybe", "data.flip is maybe; expected true or false, or default"),
    ("data.background: grey", "data.background is grey; expected black or white, or none"),
    ("data.orientation: 6", "data.orientation is 6; expected upright or as-stored"),
    ("data.name: [a]", "data.name is [a]; expected text"),
    ("data.conditions: u", "data.conditions is u; expected a list of names, like [u, v]"),
    ("data.normalisation: mean", "data.normalisation is mean; expected standard, range or none"),
    ("diffusion.sigma_data: none", "diffusion.sigma_data is none; expected a number, or auto"),
    ("diffusion.schedule: square", "diffusion.schedule is square; expected linear, cosine, quadratic or sigmoid"),
    ("diffusion.variance: tiny", "diffusion.variance is tiny; expected small, large, learned-range or learned"),
    ("model.precision: float16", "model.precision is float16; expected float32 or bfloat16"),
    ("model.time_conditioning: both", "model.time_conditioning is both; expected add or scale-shift"),
    ("training.recompute_activations: all", "training.recompute_activations is all; expected none or blocks"),
    ("seed: -1", "seed is -1; expected a whole number from 0 to 18446744073709551615"),
  ])
  func wrongTypeNamesKeyValueAndExpectation(yaml: String, message: String) {
    #expect(parsingProblems(yaml) == ["run.yaml:1: " + message])
  }

  @Test(arguments: [
    ("model.channels: 0", "model.channels is 0; it must be from 1 to 65536"),
    ("training.batch: 4611686018427387904", "training.batch is 4611686018427387904; it must be from 1 to 1048576"),
    ("data.path: ''", "data.path is \"\"; it must be not empty, or default"),
    (
      "training: {batch: 30, micro_batch: 4}",
      "training.batch is 30, which training.micro_batch 4 does not divide; choose a batch that is a multiple of it"
    ),
  ])
  func parsedValuesAreValidated(yaml: String, message: String) {
    #expect(parsingProblems(yaml) == ["run.yaml: " + message])
  }

  /// Each line expands to nine of the line before: 452 bytes for more than 10⁹ numbers.
  @Test func aliasesAreRefusedWhateverTheirTarget() {
    var bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    for level in 1...9 {
      let copies = [String](repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      bomb += "a\(level): &a\(level) [\(copies)]\n"
    }
    let message = "this is not a configuration: it has the alias *a0, which is not supported; write its value instead"
    #expect(parsingProblems(bomb) == ["run.yaml: " + message])
    #expect(parsingProblems("seed: &x 1\n? [*x]\n: 2").first?.contains("the alias *x") == true)
    #expect(
      problems { () throws(ConfigurationError) in
        _ = try ConfigurationSources(settings: ["model.multipliers=[&x 1, *x]"]).resolve()
      }.first?.contains("the alias *x") == true)
    // Text that only looks like an alias.
    #expect(parsingProblems("seed: 1 # *x* & y") == [])
    #expect(parsingProblems("data.path: '/a&b*c'") == [])
  }

  @Test func longTextsAreRefused() {
    #expect(
      parsingProblems("# " + String(repeating: "a", count: 65_535)) == [
        "run.yaml: this is not a configuration: it has 65537 bytes, more than the limit of 65536"
      ])
    #expect(parsingProblems("# " + String(repeating: "a", count: 65_534)) == [])
  }

  @Test(arguments: ["[", "{a: ", "- ", "? "])
  func deepTextsAreRefused(opening: String) {
    let found = parsingProblems("seed: 1\nmodel:\n  " + String(repeating: opening, count: 15_000))
    #expect(found.count == 1 && found[0].contains("this is not YAML"), "\(found)")
  }

  @Test func allProblemsAreReportedTogether() {
    #expect(parsingProblems("seed: x\nsed: 1").count == 2)
  }

  @Test func repeatedKeysAreRefused() {
    #expect(parsingProblems("training:\n  steps: 1\n  steps: 2") == ["run.yaml:2: set twice: steps"])
    #expect(
      parsingProblems("training:\n  steps: 1\ntraining.steps: 2") == [
        "run.yaml:3: training.steps is set twice; first at run.yaml:2"
      ])
  }

  @Test func brokenYAMLNamesTheLine() {
    let found = parsingProblems("seed: 1\nmodel: [1, 2\n")
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("run.yaml:3: this is not YAML: ") == true)
  }

  @Test func listAsRootIsRefused() {
    #expect(
      parsingProblems("[1]") == ["run.yaml: expected keys and values, like training.steps: 1000, but found [1]"])
  }

  @Test(arguments: Presets.all.map(\.name))
  func presetsRoundTripThroughYAML(name: String) throws {
    let configuration = try Presets.named(name).configuration
    #expect(try RunConfiguration(yaml: configuration.yaml, file: "run.yaml") == configuration)
  }

  @Test(arguments: [
    "default", "null", "true", "12", "a: b", "# c", "two\nlines", "it's \"quoted\"", "C:\\data", " padded ",
    "Größe/数据", "-", "~",
  ])
  func anyPathRoundTrips(path: String) throws {
    var configuration = RunConfiguration()
    configuration.data.path = path
    #expect(try RunConfiguration(yaml: configuration.yaml, file: "run.yaml") == configuration)
  }

  @Test(arguments: [0.1, 1.0 / 3, 1e-5, 1.25e-11, 1e22, 1e30, 123456.0])
  func numbersRoundTripExactlyAndReadAsNumbersElsewhere(value: Double) throws {
    var configuration = RunConfiguration()
    configuration.training.maxGradientNorm = value
    #expect(try RunConfiguration(yaml: configuration.yaml, file: "run.yaml").training.maxGradientNorm == value)
    let line = try #require(configuration.yaml.split(separator: "\n").first { $0.contains("max_gradient_norm") })
    #expect(line.contains("."), "YAML 1.1 readers take a number without a point for text")
  }

  @Test(arguments: [["u"], ["u", "sea ice, 2 m", "null", "1"], ["größe", "it's", "[x]"]])
  func namesRoundTrip(names: [String]) throws {
    let configuration = changed { $0.data.conditions = names }
    #expect(try RunConfiguration(yaml: configuration.yaml, file: "run.yaml") == configuration)
  }

  /// Older programs, and imported models, assume the σ_data of EDM's paper.
  @Test func anOlderRunOfEDMKeepsItsSigmaData() throws {
    let edm = try Presets.named("cifar10-edm").configuration
    let older = edm.yaml.split(separator: "\n").filter { !$0.contains("sigma_data") }.joined(separator: "\n")
    for text in [older, edm.yaml] {
      #expect(try RunConfiguration(ofRun: text, file: "config.yaml").diffusion.sigmaData == 0.5)
    }
    #expect(try RunConfiguration(ofRun: RunConfiguration().yaml, file: "config.yaml").diffusion.sigmaData == nil)
  }

  @Test func keysMissingFromAnOlderRunKeepItsBehaviour() throws {
    let lines = RunConfiguration().yaml.split(separator: "\n")
    let older = lines.filter { !$0.contains("ema_rampup") }.joined(separator: "\n")
    #expect(try RunConfiguration(ofRun: older, file: "config.yaml").training.emaRampup == nil)
    // In a file written by hand, a missing key has its default.
    #expect(try RunConfiguration(yaml: older, file: "my-run.yaml") == RunConfiguration())
    #expect(try RunConfiguration(ofRun: RunConfiguration().yaml, file: "config.yaml") == RunConfiguration())
  }

  /// A run from before these keys existed draws as the program did then.
  @Test func anOlderRunUsesTheDefaultSampler() throws {
    let lines = RunConfiguration().yaml.split(separator: "\n")
    let names = ["sampler", "spacing", "variance", "eta", "corrections", "snr", "tolerance", "guidance"]
    var section: Substring = ""
    let older = lines.filter { line in
      if !line.hasPrefix(" ") { section = line.prefix { $0 != ":" } }
      let name = line.drop { $0 == " " }.prefix { $0 != ":" }
      return section != "sampling" || !(names.contains(String(name)) || name.hasPrefix("churn"))
    }
    #expect(older.count == lines.count - 12)
    #expect(try RunConfiguration(ofRun: older.joined(separator: "\n"), file: "config.yaml") == RunConfiguration())
  }

  @Test func renderedTextIsStable() {
    let lines = RunConfiguration().yaml.split(separator: "\n").map(String.init)
    #expect(
      lines.prefix(11) == [
        "seed: 0", "data:", "  name: fashion-mnist", "  path: default", "  flip: default", "  background: none",
        "  channels: default", "  orientation: upright", "  conditions: []", "  normalisation: standard", "model:",
      ])
    #expect(lines.contains("  multipliers: [1, 2, 2]"))
    #expect(lines.contains("  heads: 1"))
    #expect(lines.contains("  head_channels: none"))
    #expect(lines.contains("  precision: float32"))
    #expect(lines.contains("  recompute_activations: none"))
    #expect(lines.contains("  adam_epsilon: 1.0e-08"))
    #expect(lines.contains("  ema_rampup: 0.05"))
    #expect(lines.contains("  schedule: constant"))
    #expect(lines.contains("  decay_start: default"))
    #expect(lines.contains("  sigma_data: auto"))
    #expect(lines.contains("  measures: []"))
    #expect(
      lines.drop { $0 != "sampling:" }.prefix { $0 != "evaluation:" } == [
        "sampling:", "  count: 64", "  sampler: default", "  steps: 250", "  spacing: linspace", "  clip: true",
        "  variance: default", "  eta: 0.0", "  corrections: 1", "  snr: 0.16", "  tolerance: 1.0e-05", "  churn: 0.0",
        "  churn_min: 0.0", "  churn_max: none", "  churn_noise: 1.0", "  guidance: 0.0",
      ])
  }
}
