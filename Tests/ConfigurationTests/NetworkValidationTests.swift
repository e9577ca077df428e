import Configuration
import Kernels
import Optimisation
import Testing

/// The constraints between the keys of the network, and between them and the images.
@Suite struct NetworkValidationTests {
  @Test func numbersOfChannelsMustNotOverflow() {
    #expect(
      problemsAfter {
        $0.model.channels = 65536
        $0.model.multipliers = [1, 1024]
      } == [
        "model.channels is 65536 and model.multipliers [1, 1024], which makes levels of 67108864 channels; they may have "
          + "at most 65536"
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
    // With 4 and 5 times 16 channels together, 32 groups are not possible.
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

  @Test func fourierFeaturesNeedNoiseAtEveryStep() {
    #expect(
      problemsAfter { $0.model.architecture.timeFeatures = .fourier } == [
        "model.embedding is fourier, which needs a logarithm that is infinite at step 0 of diffusion.process vp; use "
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

  @Test func dividingTheOutputByNoiseNeedsAnExplodingProcessConditionedOnNoise() {
    #expect(
      problemsAfter {
        $0.model.architecture.dividesOutputByNoise = true
        $0.diffusion.process = .varianceExploding
      } == ["model.scale_by_sigma is true, but the time input is not the noise; set model.embedding to fourier"])
    #expect(
      problemsAfter {
        $0.model.architecture.dividesOutputByNoise = true
        $0.model.architecture.timeFeatures = .fourier
        $0.diffusion.process = .variancePreserving
      } == [
        "model.scale_by_sigma is true, which requires diffusion.process ve and ve-sde; diffusion.process is vp-sde, so "
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
        "model.scale_by_sigma is true, which cannot be combined with a learned variance; diffusion.variance is "
          + "learned"
      ])
  }

  @Test func onlyDiscreteTimesAreRescaled() throws {
    #expect(
      problemsAfter {
        $0.diffusion.rescaleTimes = true
        $0.diffusion.process = .subVariancePreserving
      } == [
        "diffusion.rescale_times is true, which requires diffusion.process vp and ve; diffusion.process is sub-vp-sde, so "
          + "leave diffusion.rescale_times at its default, false"
      ])
    #expect(
      problemsAfter {
        $0.diffusion.rescaleTimes = true
        $0.diffusion.process = .discreteVarianceExploding
        $0.model.architecture.timeFeatures = .fourier
      } == [
        "diffusion.rescale_times is true, but with model.embedding fourier the time input is the noise's logarithm, not "
          + "the step; set one of them to its default"
      ])
    let improved = try Presets.named("cifar10-improved").configuration
    #expect(try improved.modelDescription().networkTime(at: 3998) == 999.5)
  }

  @Test func imageMustBeDivisibleByTwoOncePerLevel() {
    let configuration = changed { $0.model.multipliers = [1, 2, 2, 2] }
    #expect(
      problems { () throws(ConfigurationError) in try configuration.validate(height: 28, width: 28) } == [
        "model.multipliers is [1, 2, 2, 2], whose 4 levels halve height and width 3 times, which a height of 28 and a "
          + "width of 28 do not allow; use fewer multipliers, or a height and a width that are multiples of 8 (for "
          + "fields, `ddpm-mpi pack` has --crop and --pad)"
      ])
  }

  /// Each side is named by itself.
  @Test(arguments: [(20, 27, "width of 27"), (27, 20, "height of 27")])
  func sidesAreChecked(height: Int, width: Int, side: String) {
    let configuration = changed {
      $0.model.multipliers = [1, 2, 2]
      $0.model.attentionResolutions = []
    }
    let error = #expect(throws: ConfigurationError.self) {
      _ = try configuration.network(height: height, width: width, channels: 1)
    }
    #expect(
      error?.problems == [
        "model.multipliers is [1, 2, 2], whose 3 levels halve height and width 2 times, which a \(side) does not allow"
          + "; use fewer multipliers, or a \(side.prefix { $0 != " " }) that is a multiple of 4 (for fields, "
          + "`ddpm-mpi pack` has --crop and --pad)"
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
      problems { () throws(ConfigurationError) in try configuration.validate(height: 32, width: 32) } == [
        "model.attention_resolutions has 12, which is not a resolution of the network; with a height of 32 "
          + "and model.multipliers [1, 2, 2] it has 32, 16, 8"
      ])
    #expect(configuration.resolutions(imageSize: 32) == [32, 16, 8])
  }

  @Test func headsMustDivideTheChannelsOfEveryAttention() throws {
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
      return problems { () throws(ConfigurationError) in try configuration.validate(height: 32, width: 32) }
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

  @Test(arguments: Periodicity.allCases)
  func networksArePeriodicAsConfigured(periodicity: Periodicity) throws {
    let settings = ["model.periodic=\(periodicity)"]
    let configuration = try ConfigurationSources(settings: settings).resolve()
    let network = try configuration.network(height: 32, width: 32, channels: 1)
    let classifier = try configuration.classifier(height: 32, width: 32, channels: 1, classCount: 2)
    #expect(network.configuration.periodicity == periodicity)
    #expect(classifier.configuration.periodicity == periodicity)
  }

  @Test func onlyOneKeyMayDetermineTheHeads() {
    #expect(
      problemsAfter {
        $0.model.architecture.headCount = 4
        $0.model.architecture.headChannels = 8
      } == [
        "model.heads is 4 and model.head_channels is 8, but one determines the other; set model.heads to 1, or "
          + "model.head_channels to none"
      ])
  }
}
