import Kernels

/// The shape of a U-Net and its options.
public struct UNetConfiguration: Sendable, Equatable {
  /// Channels of the images.
  public var imageChannels: Int
  /// Channels of the output: those of the images, or twice as many if the variance is learned too.
  public var outputChannels: Int
  /// Height and width of the images; divisible by 2^(levels − 1).
  public var imageHeight: Int
  public var imageWidth: Int
  /// Channels of the first level.
  public var channels: Int
  /// Channels of each level, in units of `channels`.
  public var multipliers: [Int]
  /// Residual blocks of each encoder level; decoder levels have one more.
  public var blocksPerLevel: Int
  /// Heights of feature maps at which residual blocks are followed by attention.
  public var attentionResolutions: [Int]
  /// Probability of dropping an element before each block's second convolution, in training.
  public var dropout: Float
  /// The maximum number of groups of every group normalisation.
  public var groupCount: Int
  /// The number of classes that the network is conditioned on, not counting the null class; nil for a network without
  /// classes.
  public var classCount: Int?
  /// The convolution method of the tapes that the network runs on.
  public var convolutionMethod: ConvolutionMethod
  public var architecture: UNetArchitecture

  public init(
    imageChannels: Int, imageHeight: Int, imageWidth: Int, channels: Int, multipliers: [Int], blocksPerLevel: Int,
    attentionResolutions: [Int], dropout: Float = 0, groupCount: Int = 32, outputChannels: Int? = nil,
    classCount: Int? = nil, convolutionMethod: ConvolutionMethod = .winograd, architecture: UNetArchitecture = .ddpm
  ) {
    self.imageChannels = imageChannels
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
    self.architecture = architecture
  }

  var embeddingChannels: Int { 4 * channels }

  /// The number of groups of a normalisation with this many channels.
  public func groupCount(ofChannels count: Int) -> Int {
    min(groupCount, count / architecture.minimumChannelsPerGroup)
  }
}

/// The differences between the U-Nets of the literature: DDPM (Ho, Jain, Abbeel, arXiv:2006.11239, appendix B), DDPM++
/// and NCSN++ (Song et al., arXiv:2011.13456, appendix H), and variants between them.
public struct UNetArchitecture: Sendable, Equatable {
  /// How one level leads to the next.
  public enum LevelChange: String, Sendable, CaseIterable {
    /// A convolution of stride 2 in the encoder, and a convolution of the enlarged image in the decoder, as in DDPM.
    case convolution = "ddpm"
    /// A residual block that changes the size inside, as in BigGAN (Brock, Donahue, Simonyan, arXiv:1809.11096).
    case residualBlock = "biggan"
  }

  /// How the time is encoded.
  public enum TimeFeatures: String, Sendable, CaseIterable {
    /// With fixed frequencies, for times up to about 1000.
    case sinusoidal
    /// With random frequencies, for the logarithm of the noise.
    case fourier
  }

  /// How a residual block uses the embedding of time and class.
  public enum TimeConditioning: String, Sendable, CaseIterable {
    /// One number per channel is added before the second normalisation.
    case add
    /// Two numbers per channel scale and shift the result of the second normalisation (Nichol, Dhariwal,
    /// arXiv:2102.09672, section 4).
    case scaleShift = "scale-shift"
  }

  /// How the encoder's levels receive the image itself.
  public enum ProgressiveInput: String, Sendable, CaseIterable {
    case none
    /// The downsampled image, through a 1x1 convolution.
    case inputSkip = "input-skip"
    /// A chain of strided convolutions starting at the image, to which each level's result is added.
    case residual
  }

  /// How the decoder's levels contribute to the output.
  public enum ProgressiveOutput: String, Sendable, CaseIterable {
    /// Only through the last level.
    case none
    /// Each level produces an image; the sum of the enlarged images is the output.
    case outputSkip = "output-skip"
    /// A chain of enlarging convolutions starting at the lowest level, to which each level's result is added.
    case residual
  }

  /// How `ProgressiveInput.inputSkip` combines its image with a level's values.
  public enum Combination: String, Sendable, CaseIterable {
    case sum
    /// Concatenated: the number of channels doubles.
    case concatenation = "cat"
  }

  /// Where the decoder has attention.
  public enum UpwardAttention: String, Sendable, CaseIterable {
    /// After every block of its level.
    case everyBlock = "every-block"
    /// After the last block of its level.
    case lastBlock = "last-block"
  }

  public var levelChange = LevelChange.convolution
  /// Where the size changes, repeated or averaged pixels are smoothed by the filter [1, 3, 3, 1].
  public var smoothsResampling = false
  public var timeFeatures = TimeFeatures.sinusoidal
  /// Standard deviation of the random frequencies.
  public var fourierScale = 16.0
  public var timeConditioning = TimeConditioning.add
  /// Sums of a block's result and its input are divided by √2, which keeps their variance.
  public var rescalesSums = false
  public var progressiveInput = ProgressiveInput.none
  public var progressiveOutput = ProgressiveOutput.none
  public var combination = Combination.sum
  public var upwardAttention = UpwardAttention.everyBlock
  /// The number of attention heads that the channels are divided among, if `headChannels` is nil.
  public var headCount = 1
  /// Channels per attention head, which determine the number of heads.
  public var headChannels: Int?
  /// The minimum number of channels per group of a normalisation: one with few channels has fewer groups.
  public var minimumChannelsPerGroup = 1
  /// Variance of the initial matrices of attention's queries, keys and values, where 1 keeps the variance of their
  /// input.
  public var attentionInitialScale = 1.0
  /// Whether the output is divided by σ, whose logarithm is the network's time input.
  public var dividesOutputByNoise = false

  public init() {}

  public static let ddpm = UNetArchitecture()

  /// Song et al., arXiv:2011.13456, appendix H.1.
  public static let ddpmPlusPlus: UNetArchitecture = {
    var result = UNetArchitecture()
    result.levelChange = .residualBlock
    result.rescalesSums = true
    result.upwardAttention = .lastBlock
    result.minimumChannelsPerGroup = 4
    result.attentionInitialScale = 0.1
    return result
  }()

  /// The same source.
  public static let ncsnPlusPlus: UNetArchitecture = {
    var result = ddpmPlusPlus
    result.smoothsResampling = true
    result.timeFeatures = .fourier
    result.progressiveInput = .residual
    result.dividesOutputByNoise = true
    return result
  }()

  /// The number of heads of an attention with this many channels.
  public func headCount(ofChannels count: Int) -> Int { headChannels.map { count / $0 } ?? headCount }

  var resamplingFilter: Resampling.Filter { smoothsResampling ? .binomial : .box }
  /// The factor of sums of a block's result and its input.
  var sumScale: Float { rescalesSums ? Float(0.5.squareRoot()) : 1 }
}
