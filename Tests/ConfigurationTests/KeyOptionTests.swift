import Configuration
import Diffusion
import Testing

/// Options of the command line that stand for keys of `sampling`, over a model's configuration.
@Suite struct KeyOptionTests {
  private func options(_ values: [String: String]) throws -> [KeyOption] {
    try values.sorted { $0.key < $1.key }.map {
      try KeyOption(#require(ConfigurationKey.named("sampling.\($0.key)")), $0.value)
    }
  }

  private func problem(_ values: [String: String], of model: RunConfiguration = RunConfiguration()) throws -> String? {
    let options = try options(values)
    return problems { () throws(ConfigurationError) in _ = try model.drawing(with: options) }.first
  }

  private var edm: RunConfiguration {
    var configuration = RunConfiguration()
    configuration.diffusion.process = .edm
    configuration.diffusion.loss = .edm
    return configuration
  }

  private static let values: [SamplerOption: String] = [
    .steps: "7", .eta: "0.5", .spacing: "trailing", .corrections: "2", .signalToNoise: "0.2", .tolerance: "0.1",
    .churn: "1", .churnMin: "0.1", .churnMax: "9", .churnInflation: "1.1", .variance: "large",
  ]

  /// An option that a sampler uses appears in its settings; one that it does not use is refused by its name, whatever
  /// its value.
  @Test(arguments: SamplerName.allCases)
  func optionsHaveAnEffectOrAreRefused(_ name: SamplerName) throws {
    for (option, value) in Self.values {
      let key = try #require(ConfigurationKey.named("sampling.\(option.rawValue)"))
      var given = ["sampler": name.rawValue, option.rawValue: value]
      if name == .edm { given["churn"] = "1" }
      if name.options.contains(option) {
        let drawing = try RunConfiguration().drawing(with: options(given))
        #expect(key.value(in: drawing) != key.value(in: RunConfiguration()))
      } else {
        let usual = key.value(in: RunConfiguration())
        for value in [value, usual] {
          given[option.rawValue] = value
          let problem = try #require(try problem(given))
          #expect(problem.hasPrefix("\(key.optionName) is "), "\(problem)")
          #expect(problem.hasSuffix("--sampler is \(name.rawValue), so leave it out"), "\(problem)")
        }
      }
    }
  }

  @Test func optionsAreNamedLikeKeys() throws {
    #expect(try #require(ConfigurationKey.named("sampling.churn_min")).optionName == "--churn-min")
    #expect(
      try problem(["sampler": "ddpm", "eta": "0.5"])
        == "--eta is 0.5, which requires --sampler ddim; --sampler is ddpm, so leave it out")
    #expect(try problem(["eta": "0.5"], of: edm)?.contains("--sampler is edm") == true)
  }

  @Test func optionsWithoutEffectAreRefused() throws {
    #expect(
      try problem(["sampler": "dpm-solver++", "spacing": "leading"], of: edm)
        == "--spacing is leading, which requires diffusion.process vp and ve; diffusion.process is edm, so leave it out"
    )
    for option in ["churn_min", "churn_max", "churn_noise"] {
      #expect(try problem([option: "2"], of: edm)?.contains("which requires --churn above 0; --churn is 0.0") == true)
      #expect(try problem([option: "2", "churn": "1"], of: edm) == nil)
    }
    #expect(
      try problem(["sampler": "predictor-corrector", "corrections": "0", "snr": "0.2"])?.hasPrefix("--snr") == true)
    #expect(try problem(["sampler": "predictor-corrector", "corrections": "0"]) == nil)
  }

  @Test func invalidCombinationsAreReportedByOption() throws {
    #expect(try problem(["sampler": "ddim"], of: edm)?.hasPrefix("--sampler: ddim needs a discrete process") == true)
    #expect(try problem(["steps": "1001"])?.hasPrefix("--steps: cannot sample in 1001 steps") == true)
    #expect(try problem(["sampler": "ode-heun", "steps": "1001"]) == nil)
    #expect(try problem(["sampler": "langevin", "corrections": "0"])?.hasPrefix("--corrections: ") == true)
    #expect(
      try problem(["churn": "1", "churn_min": "2", "churn_max": "1"], of: edm)?.hasPrefix("--churn-min: ") == true)
    #expect(try problem(["variance": "learned"])?.hasPrefix("--variance: learned needs a model") == true)
  }

  /// Keys of the model's own sampler do not affect another sampler.
  @Test func anotherSamplerStartsFromItsDefaults() throws {
    var model = RunConfiguration()
    model.sampling.name = .ddim
    model.sampling.eta = 0.5
    try model.validate()
    #expect(try model.drawing(with: []) == model)
    let drawing = try model.drawing(with: options(["sampler": "ode-rk45"]))
    #expect(drawing.sampling.eta == 0)
    #expect(drawing.sampling.steps == RunConfiguration().sampling.steps)
    #expect(try model.drawing(with: options(["steps": "9"])).sampling.eta == 0.5)
  }

  @Test(arguments: [
    ("eta", "1.5", "it must be from 0.0 to 1.0"), ("eta", "much", "expected a number"),
    ("eta", "nan", "expected a number"),
    ("steps", "0", "it must be from 1 to 1000000"), ("steps", "9223372036854775807", "it must be from 1 to 1000000"),
    ("snr", "0", "it must be above 0.0 and at most 1e9"),
    ("spacing", "wide", "expected leading, trailing or linspace"),
    ("churn_max", "-1", "it must be from 0.0 to 1e9, or none"),
  ])
  func valuesAreValidatedLikeThoseOfTheKey(name: String, value: String, message: String) {
    let error = #expect(throws: ConfigurationError.self) { try options([name: value]) }
    #expect(error?.problems == [message])
  }
}
