import Diffusion
import Testing

@Suite struct SamplerOptionTests {
  private func refusal(
    _ name: SamplerName, _ options: [SamplerOption], process: any ForwardProcess,
    _ change: (inout SamplerSettings) -> Void = { _ in }
  ) -> DiffusionError? {
    var settings = SamplerSettings()
    settings.name = name
    change(&settings)
    do throws(DiffusionError) {
      try settings.checkAllAreRead(options, process: process)
      return nil
    } catch { return error }
  }

  /// An option that a sampler reads changes where it goes or how; one that it does not is refused, by its name.
  @Test(arguments: SamplerName.allCases)
  func optionsAreReadOrRefused(_ name: SamplerName) throws {
    let process = DiscreteProcess(schedule: try .linear(steps: 100))
    for option in SamplerOption.allCases {
      let error = refusal(name, [option], process: process) { $0.churn.amount = 1 }
      #expect((error == nil) == name.options.contains(option), "\(option)")
      if let error { #expect(error.key == option.rawValue) }
    }
    #expect(!name.options.isEmpty)
  }

  @Test func everyOptionIsForSomeSampler() {
    let all = SamplerName.allCases.reduce(into: Set<SamplerOption>()) { $0.formUnion($1.options) }
    #expect(all == Set(SamplerOption.allCases))
  }

  @Test func optionsWithoutEffectAreRefused() throws {
    let continuous = try VariancePreservingSDE()
    #expect(refusal(.dpmSolver, [.spacing], process: continuous)?.key == "spacing")
    for option in [SamplerOption.churnMin, .churnMax, .churnInflation] {
      #expect(refusal(.edm, [option], process: continuous)?.key == option.rawValue)
      #expect(refusal(.edm, [.churn, option], process: continuous) { $0.churn.amount = 2 } == nil)
    }
    #expect(refusal(.predictorCorrector, [.corrections, .signalToNoise], process: continuous) == nil)
    let withoutCorrections = refusal(.predictorCorrector, [.corrections, .signalToNoise], process: continuous) {
      $0.corrections = 0
    }
    #expect(withoutCorrections?.key == "snr")
  }

  @Test(arguments: [-0.1, 1.001, .infinity, .nan])
  func etaIsAShare(_ eta: Double) throws {
    let process = DiscreteProcess(schedule: try .linear(steps: 10))
    let error = #expect(throws: DiffusionError.self) { try DDIMSampler(process: process, visiting: [0, 5], eta: eta) }
    #expect(error?.key == "eta")
  }
}
