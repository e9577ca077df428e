import Kernels

/// What decides the shape of a U-Net, and how it is computed.
public struct UNetConfiguration: Sendable, Equatable {
  /// Channels of the images.
  public var imageChannels: Int
  /// Channels of the output: those of the images, or twice as many where the variance is learned too.
  public var outputChannels: Int
  /// Height and width of the images; divisible by 2^(levels − 1).
  public var imageHeight: Int
  public var imageWidth: Int
  /// Channels of the first level.
  public var channels: Int
  /// Channels of each level, in units of `channels`.
  public var multipliers: [Int]
  /// Residual blocks of each level going down; going up there is one more.
  public var blocksPerLevel: Int
  /// Heights of feature maps at which residual blocks are followed by attention.
  public var attentionResolutions: [Int]
  /// Probability of dropping an element before each block's second convolution, in training.
  public var dropout: Float
  /// Groups of every group normalisation, at most.
  public var groupCount: Int
  /// Classes that the network is told of, besides that there is none; nil for a network without classes.
  public var classCount: Int?
  /// For the tapes on which the network is to run.
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

  /// Groups of a normalisation of so many channels.
  public func groupCount(ofChannels count: Int) -> Int {
    min(groupCount, count / architecture.minimumChannelsPerGroup)
  }
}

/// What tells the U-Nets of the literature apart: that of DDPM (Ho, Jain, Abbeel, arXiv:2006.11239, appendix B) from DDPM++
/// and NCSN++ (Song et al., arXiv:2011.13456, appendix H), and all that lies between.
public struct UNetArchitecture: Sendable, Equatable {
  /// What leads from one level to the next.
  public enum LevelChange: String, Sendable, CaseIterable {
    /// A convolution of stride 2 going down, and one of the enlarged image going up, as in DDPM.
    case convolution = "ddpm"
    /// A residual block that changes the size inside, as in BigGAN (Brock, Donahue, Simonyan, arXiv:1809.11096).
    case residualBlock = "biggan"
  }

  /// How the network is told the time.
  public enum TimeFeatures: String, Sendable, CaseIterable {
    /// Of fixed frequencies, for times up to about 1000.
    case sinusoidal
    /// Of random frequencies, for the logarithm of the noise.
    case fourier
  }

  /// What a residual block does with the embedding of time and class.
  public enum TimeConditioning: String, Sendable, CaseIterable {
    /// A number for each channel is added before the second normalisation.
    case add
    /// Two numbers for each channel scale and shift what the second normalisation makes (Nichol, Dhariwal,
    /// arXiv:2102.09672, section 4).
    case scaleShift = "scale-shift"
  }

  /// What each level going down is told of the image itself.
  public enum ProgressiveInput: String, Sendable, CaseIterable {
    case none
    /// The image made smaller, by a 1x1 convolution.
    case inputSkip = "input-skip"
    /// A chain of strided convolutions from the image down, to which each level's result is added.
    case residual
  }

  /// How levels going up contribute to the output.
  public enum ProgressiveOutput: String, Sendable, CaseIterable {
    /// Through the last level only.
    case none
    /// Each level makes an image; the sum of them, enlarged, is the output.
    case outputSkip = "output-skip"
    /// A chain of enlarging convolutions from the lowest level up, to which each level's result is added.
    case residual
  }

  /// How `ProgressiveInput.inputSkip` joins what it has with a level's values.
  public enum Combination: String, Sendable, CaseIterable {
    case sum
    /// Side by side: the number of channels doubles.
    case concatenation = "cat"
  }

  /// Where attention stands on the way up.
  public enum UpwardAttention: String, Sendable, CaseIterable {
    /// After every block of its level.
    case everyBlock = "every-block"
    /// After the last block of its level.
    case lastBlock = "last-block"
  }

  public var levelChange = LevelChange.convolution
  /// What is repeated or averaged where the size changes is smoothed by [1, 3, 3, 1].
  public var smoothsResampling = false
  public var timeFeatures = TimeFeatures.sinusoidal
  /// Deviation of the random frequencies.
  public var fourierScale = 16.0
  public var timeConditioning = TimeConditioning.add
  /// Sums of a block's result and its input are divided by √2, which keeps their variance.
  public var rescalesSums = false
  public var progressiveInput = ProgressiveInput.none
  public var progressiveOutput = ProgressiveOutput.none
  public var combination = Combination.sum
  public var upwardAttention = UpwardAttention.everyBlock
  /// Heads of every attention, among which its channels are divided; where `headChannels` is nil.
  public var headCount = 1
  /// Channels of every head of attention, so that there are as many heads as a level's channels make.
  public var headChannels: Int?
  /// Normalisations of few channels have fewer groups, so that each has as many channels as this.
  public var minimumChannelsPerGroup = 1
  /// Variance of the initial matrices of attention's queries, keys and values, where 1 keeps that of their input.
  public var attentionInitialScale = 1.0
  /// The output is divided by σ, whose logarithm is the time that the network is told.
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

  /// Ibid.
  public static let ncsnPlusPlus: UNetArchitecture = {
    var result = ddpmPlusPlus
    result.smoothsResampling = true
    result.timeFeatures = .fourier
    result.progressiveInput = .residual
    result.dividesOutputByNoise = true
    return result
  }()

  /// Heads of an attention of so many channels.
  public func headCount(ofChannels count: Int) -> Int { headChannels.map { count / $0 } ?? headCount }

  var resamplingFilter: Resampling.Filter { smoothsResampling ? .binomial : .box }
  /// What sums of a block's result and its input are multiplied by.
  var sumScale: Float { rescalesSums ? Float(0.5.squareRoot()) : 1 }
}
