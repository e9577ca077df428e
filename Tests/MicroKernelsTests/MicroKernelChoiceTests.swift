import CBuildTarget
import CProcessor
import MicroKernels
import Testing

@Suite struct MicroKernelChoiceTests {
  private static func name(for features: ddpm_processor_feature...) -> String {
    MicroKernel.best(for: features.reduce(0) { $0 | $1.rawValue }).name
  }

  @Test func lastKernelRunsOnAnyProcessor() {
    #expect(MicroKernel.all.last!.name == "plain Swift")
    #expect(MicroKernel.all.last!.isSupported(by: 0))
    #expect(MicroKernel.all.dropLast().allSatisfy { !$0.isSupported(by: 0) })
    #expect(Set(MicroKernel.all.map(\.name)).count == MicroKernel.all.count)
  }

  #if arch(x86_64)
    @Test func firstSupportedKernelIsChosen() {
      #expect(MicroKernel.all.map(\.name) == ["AVX-512", "AVX2", "plain Swift"])
      #expect(Self.name() == "plain Swift")
      #expect(Self.name(for: DDPM_FEATURE_AVX, DDPM_FEATURE_AVX2) == "plain Swift")
      #expect(Self.name(for: DDPM_FEATURE_AVX, DDPM_FEATURE_FMA) == "plain Swift")
      #expect(Self.name(for: DDPM_FEATURE_AVX, DDPM_FEATURE_AVX2, DDPM_FEATURE_FMA) == "AVX2")
      #expect(Self.name(for: DDPM_FEATURE_AVX, DDPM_FEATURE_AVX2, DDPM_FEATURE_FMA, DDPM_FEATURE_AVX512F) == "AVX-512")
      #expect(MicroKernel.best(for: .max).name == "AVX-512")
    }
  #endif

  @Test func thisProcessorHasTheFeaturesOfTheChosenKernel() {
    #expect(MicroKernel.best.isSupported(by: ddpm_processor_features()))
  }
}
