import Kernels

/// The shape of a U-Net and its options.
package struct UNetConfiguration: Sendable, Equatable {
  /// Channels of the images.
  package var imageChannels: Int
  /// Channels of the same size that the network is given beside them.
  package var conditionChannels: Int
  /// Channels of the output: those of the images, or twice as many if the variance is learned too.
  package var outputChannels: Int
  /// Height and width of the images; divisible by 2^(levels − 1).
  package var imageHeight: Int
  package var imageWidth: Int
  /// Channels of the first level.
  package var channels: Int
  /// Channels of each level, in units of `channels`.
  package var multipliers: [Int]
  /// Residual blocks of each encoder level; decoder levels have one more.
  package var blocksPerLevel: Int
  /// Heights of feature maps at which residual blocks are followed by attention.
  package var attentionResolutions: [Int]
  /// Probability of dropping an element before each block's second convolution, in training.
  package var dropout: Float
  /// The maximum number of groups of every group normalisation.
  package var groupCount: Int
  /// The number of classes that the network is conditioned on, not counting the null class; nil for a network without
  /// classes.
  package var classCount: Int?
  /// The convolution method of the tapes that the network runs on.
  package var convolutionMethod: ConvolutionMethod
  /// The axes along which images are periodic: an image shifted along one of them by a multiple of 2^(levels − 1) pixels
  /// has the shifted output.
  package var periodicity: Periodicity
  package var architecture: UNetArchitecture

  package init(
    imageChannels: Int, conditionChannels: Int = 0, imageHeight: Int, imageWidth: Int, channels: Int,
    multipliers: [Int], blocksPerLevel: Int, attentionResolutions: [Int], dropout: Float = 0, groupCount: Int = 32,
    outputChannels: Int? = nil, classCount: Int? = nil, convolutionMethod: ConvolutionMethod = .winograd,
    periodicity: Periodicity = .none, architecture: UNetArchitecture = .ddpm
  ) {
    self.imageChannels = imageChannels
    self.conditionChannels = conditionChannels
    self.outputChannels = outputChannels ?? imageChannels
    self.imageHeight = imageHeight
    self.imageWidth = imageWidth
    self.channels = channels
    self.multipliers = multipliers
    self.blocksPerLevel = blocksPerLevel
    self.attentionResolutions = attentionResolutions
    self.dropout = dropout
    self.groupCount = groupCount
    self.classCount = classCount
    self.convolutionMethod = convolutionMethod
    self.periodicity = periodicity
    self.architecture = architecture
  }

  /// Channels of the encoder's input: the images', then the given ones.
  var inputChannels: Int { imageChannels + conditionChannels }
  var embeddingChannels: Int { 4 * channels }

  /// The number of groups of a normalisation with this many channels.
  package func groupCount(ofChannels count: Int) -> Int {
    min(groupCount, count / architecture.minimumChannelsPerGroup)
  }
}

/// The differences between the U-Nets of the literature: DDPM (Ho, Jain, Abbeel, arXiv:2006.11239, appendix B), DDPM++
/// and NCSN++ (Song et al., arXiv:2011.13456, appendix H), and variants between them.
package struct UNetArchitecture: Sendable, Equatable {
  /// How one level leads to the next.
  package enum LevelChange: String, Sendable, CaseIterable {
    /// A convolution of stride 2 in the encoder, and a convolution of the enlarged image in the decoder, as in DDPM.
    case convolution = "ddpm"
    /// A residual block that changes the size inside, as in BigGAN (Brock, Donahue, Simonyan, arXiv:1809.11096).
    case residualBlock = "biggan"
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
  package enum ProgressiveInput: String, Sendable, CaseIterable {
    case none
    /// The downsampled image, through a 1x1 convolution.
    case inputSkip = "input-skip"
    /// A chain of strided convolutions starting at the image, to which each level's result is added.
    case residual
  }

  /// How the decoder's levels contribute to the output.
  package enum ProgressiveOutput: String, Sendable, CaseIterable {
    /// Only through the last level.
    case none
    /// Each level produces an image; the sum of the enlarged images is the output.
    case outputSkip = "output-skip"
    /// A chain of enlarging convolutions starting at the lowest level, to which each level's result is added.
    case residual
  }

  /// How `ProgressiveInput.inputSkip` combines its image with a level's values.
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

  package var levelChange = LevelChange.convolution
  /// Where the size changes, repeated or averaged pixels are smoothed by the filter [1, 3, 3, 1].
  package var smoothsResampling = false
  package var timeFeatures = TimeFeatures.sinusoidal
  /// Standard deviation of the random frequencies.
  package var fourierScale = 16.0
  package var timeConditioning = TimeConditioning.add
  /// Sums of a block's result and its input are divided by √2, which keeps their variance.
  package var rescalesSums = false
  package var progressiveInput = ProgressiveInput.none
  package var progressiveOutput = ProgressiveOutput.none
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

  /// The number of heads of an attention with this many channels.
  package func headCount(ofChannels count: Int) -> Int { headChannels.map { count / $0 } ?? headCount }

  var resamplingFilter: Resampling.Filter { smoothsResampling ? .binomial : .box }
  /// The factor of sums of a block's result and its input.
  var sumScale: Float { rescalesSums ? Float(0.5.squareRoot()) : 1 }
}
