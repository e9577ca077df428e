import Kernels

/// The differences between the U-Nets of the literature: DDPM (Ho, Jain, Abbeel, arXiv:2006.11239, appendix B), DDPM++
/// and NCSN++ (Song et al., arXiv:2011.13456, appendix H), ADM (Dhariwal, Nichol, arXiv:2105.05233, section 3), and
/// variants between them.
package struct UNetArchitecture: Sendable, Equatable {
  /// How one level leads to the next.
  package enum LevelChangeKind: String, Sendable, CaseIterable {
    /// A convolution of stride 2 in the encoder, and a convolution of the enlarged image in the decoder, as in DDPM.
    case convolution = "ddpm"
    /// A residual block that changes the size inside, as in BigGAN (Brock, Donahue, Simonyan, arXiv:1809.11096).
    case residualBlock = "biggan"
    /// The same without a convolution on the shortcut, as in ADM.
    case plainResidualBlock = "adm"
  }

  /// How the time is encoded.
  package enum TimeFeatures: String, Sendable, CaseIterable {
    /// With fixed frequencies, for times up to about 1000.
    case sinusoidal
    /// With random frequencies, for the logarithm of the noise.
    case fourier
  }

  /// How a residual block uses the embedding of time and class.
  package enum TimeConditioning: String, Sendable, CaseIterable {
    /// One number per channel is added before the second normalisation.
    case add
    /// Two numbers per channel scale and shift the result of the second normalisation (Nichol, Dhariwal,
    /// arXiv:2102.09672, section 4).
    case scaleShift = "scale-shift"
  }

  /// How the encoder's levels receive the image itself, with the given channels.
  package enum ImageInput: String, Sendable, CaseIterable {
    case none
    /// The downsampled image, through a 1x1 convolution.
    case inputSkip = "input-skip"
    /// A chain of strided convolutions starting at the image, to which each level's result is added.
    case residual
  }

  /// How the decoder's levels contribute to the output.
  package enum ImageOutput: String, Sendable, CaseIterable {
    /// Only through the last level.
    case none
    /// Each level produces an image; the sum of the enlarged images is the output.
    case outputSkip = "output-skip"
    /// A chain of enlarging convolutions starting at the lowest level, to which each level's result is added.
    case residual
  }

  /// How `ImageInput.inputSkip` combines its image with a level's values.
  package enum Combination: String, Sendable, CaseIterable {
    case sum
    /// Concatenated: the number of channels doubles.
    case concatenation = "cat"
  }

  /// Where the decoder has attention.
  package enum UpwardAttention: String, Sendable, CaseIterable {
    /// After every block of its level.
    case everyBlock = "every-block"
    /// After the last block of its level.
    case lastBlock = "last-block"
  }

  package var levelChange = LevelChangeKind.convolution
  /// Where the size changes, repeated or averaged pixels are smoothed by the filter [1, 3, 3, 1].
  package var smoothsResampling = false
  package var timeFeatures = TimeFeatures.sinusoidal
  /// Standard deviation of the random frequencies.
  package var fourierScale = 16.0
  package var timeConditioning = TimeConditioning.add
  /// Sums of a block's result and its input are divided by √2, which keeps their variance.
  package var rescalesSums = false
  package var progressiveInput = ImageInput.none
  package var progressiveOutput = ImageOutput.none
  package var combination = Combination.sum
  package var upwardAttention = UpwardAttention.everyBlock
  /// The number of attention heads that the channels are divided among, if `headChannels` is nil.
  package var headCount = 1
  /// Channels per attention head, which determine the number of heads.
  package var headChannels: Int?
  /// The minimum number of channels per group of a normalisation: one with few channels has fewer groups.
  package var minimumChannelsPerGroup = 1
  /// Variance of the initial matrices of attention's queries, keys and values, where 1 keeps the variance of their
  /// input.
  package var attentionInitialScale = 1.0
  /// Whether the output is divided by σ, whose logarithm is the network's time input.
  package var dividesOutputByNoise = false

  package init() {}

  package static let ddpm = UNetArchitecture()

  /// Song et al., arXiv:2011.13456, appendix H.1.
  package static let ddpmPlusPlus: UNetArchitecture = {
    var result = UNetArchitecture()
    result.levelChange = .residualBlock
    result.rescalesSums = true
    result.upwardAttention = .lastBlock
    result.minimumChannelsPerGroup = 4
    result.attentionInitialScale = 0.1
    return result
  }()

  /// The same source.
  package static let ncsnPlusPlus: UNetArchitecture = {
    var result = ddpmPlusPlus
    result.smoothsResampling = true
    result.timeFeatures = .fourier
    result.progressiveInput = .residual
    result.dividesOutputByNoise = true
    return result
  }()

  /// Dhariwal, Nichol, arXiv:2105.05233, section 3 and table 11.
  package static let adm: UNetArchitecture = {
    var result = UNetArchitecture()
    result.levelChange = .plainResidualBlock
    result.timeConditioning = .scaleShift
    result.headChannels = 64
    return result
  }()

  /// The number of heads of an attention with this many channels.
  package func headCount(ofChannels count: Int) -> Int { headChannels.map { count / $0 } ?? headCount }

  var resamplingFilter: Resampling.Filter { smoothsResampling ? .binomial : .box }
  /// The factor of sums of a block's result and its input.
  var sumScale: Float { rescalesSums ? Float(0.5.squareRoot()) : 1 }
}
