import Diffusion
import Testing

@Suite struct SamplerOptionTests {
  @Test func everyOptionIsForSomeSampler() {
    let all = SamplerName.allCases.reduce(into: Set<SamplerOption>()) { $0.formUnion($1.options) }
    #expect(all == Set(SamplerOption.allCases))
  }

  @Test func defaultSamplerSuitsTheProcess() throws {
    let processes: [(any ForwardProcess, SamplerName)] = [
      (DiscreteProcess(schedule: try .linear(steps: 10)), .ddpm), (try VariancePreservingSDE(), .eulerMaruyama),
      (try EDMProcess(sigmaMin: 0.002, sigmaMax: 80), .edm),
    ]
    for (process, name) in processes {
      #expect(SamplerSettings().name(for: process) == name)
      var settings = SamplerSettings()
      settings.name = .odeHeun
      #expect(settings.name(for: process) == .odeHeun)
    }
  }

  @Test func learnedVarianceNeedsAModelThatPredictsIt() throws {
    let process = DiscreteProcess(schedule: try .linear(steps: 300))
    var settings = SamplerSettings()
    #expect((try settings.sampler(for: process, variance: .learned) as? AncestralSampler)?.variance == .learned)
    settings.variance = .small
    #expect((try settings.sampler(for: process, variance: .learned) as? AncestralSampler)?.variance == .small)
    settings.variance = .learnedRange
    let error = #expect(throws: DiffusionError.self) { try settings.sampler(for: process, variance: .learned) }
    #expect(error?.key == "variance")
  }

  @Test func guidedImagesAreClippedByTheDenoiser() throws {
    let process = DiscreteProcess(schedule: try .linear(steps: 300))
    var settings = SamplerSettings()
    #expect(!settings.clipsInDenoiser(for: process))
    settings.guidance = 1
    #expect(settings.clipsInDenoiser(for: process))
    settings.clipsOriginal = false
    #expect(!settings.clipsInDenoiser(for: process))
  }

  @Test(arguments: [-0.1, 1.001, .infinity, .nan])
  func etaIsBetweenZeroAndOne(_ eta: Double) throws {
    let process = DiscreteProcess(schedule: try .linear(steps: 10))
    let error = #expect(throws: DiffusionError.self) { try DDIMSampler(process: process, visiting: [0, 5], eta: eta) }
    #expect(error?.key == "eta")
  }
}
