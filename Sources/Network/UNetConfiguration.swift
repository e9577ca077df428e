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
  /// The arithmetic of the tapes that the network runs on.
  package var arithmetic: Arithmetic
  /// The axes along which images are periodic: an image shifted along one of them by a multiple of 2^(levels − 1) pixels
  /// has the shifted output.
  package var periodicity: Periodicity
  package var architecture: UNetArchitecture

  package init(
    imageChannels: Int, conditionChannels: Int = 0, imageHeight: Int, imageWidth: Int, channels: Int,
    multipliers: [Int], blocksPerLevel: Int, attentionResolutions: [Int], dropout: Float = 0, groupCount: Int = 32,
    outputChannels: Int? = nil, classCount: Int? = nil, arithmetic: Arithmetic = Arithmetic(),
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
    self.arithmetic = arithmetic
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
