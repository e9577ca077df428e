import Differentiation
import Kernels
import Tensors

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
  /// Heights of feature maps at which every residual block is followed by attention.
  public var attentionResolutions: [Int]
  /// Probability of dropping an element before each block's second convolution, in training.
  public var dropout: Float
  /// Groups of every group normalisation.
  public var groupCount: Int
  /// Classes that the network is told of, besides that there is none; nil for a network without classes.
  public var classCount: Int?
  /// For the tapes on which the network is to run.
  public var convolutionMethod: ConvolutionMethod

  public init(
    imageChannels: Int, imageHeight: Int, imageWidth: Int, channels: Int, multipliers: [Int], blocksPerLevel: Int,
    attentionResolutions: [Int], dropout: Float = 0, groupCount: Int = 32, outputChannels: Int? = nil,
    classCount: Int? = nil, convolutionMethod: ConvolutionMethod = .winograd
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
  }

  var embeddingChannels: Int { 4 * channels }
}

/// The noise-predicting network of "Denoising Diffusion Probabilistic Models" (Ho, Jain, Abbeel, arXiv:2006.11239,
/// appendix B): a U-Net of residual blocks with attention at chosen resolutions, told the time step by a sinusoidal
/// embedding, and the class, if it has classes, by a learned one that is added to it (Dhariwal, Nichol, arXiv:2105.05233,
/// section 3.1).
///
/// Parameter names are those of diffusers' `UNet2DModel`.
public struct UNet: TrainableNetwork {
  public let configuration: UNetConfiguration
  public let layout: ParameterLayout

  private let declarations: ParameterDeclarations
  private let timeEmbedding: TimeEmbedding
  /// A row for each class, and a last one for none.
  private let classEmbedding: ParameterEntry?
  private let encoder: Encoder
  private let up: [UpLevel]
  private let outputNorm: GroupNormLayer
  private let outputConvolution: Convolution

  private struct UpLevel {
    var blocks: [ResidualBlock] = []
    var attentions: [AttentionBlock] = []
    var upsampler: Convolution?
  }

  public init(_ configuration: UNetConfiguration) {
    self.configuration = configuration
    var builder = BlockBuilder(configuration)
    timeEmbedding = TimeEmbedding(configuration, in: &builder.declarations)
    classEmbedding = configuration.classCount.map {
      builder.declarations.add(
        "class_embedding.weight", shape: [$0 + 1, configuration.embeddingChannels], order: .io, initialisation: .normal)
    }
    encoder = Encoder(&builder)
    var skipChannels = encoder.skipChannels
    var channels = encoder.channels
    var up: [UpLevel] = []
    for level in configuration.multipliers.indices.reversed() {
      let name = "up_blocks.\(up.count)"
      let width = configuration.multipliers[level] * configuration.channels
      var result = UpLevel()
      for index in 0...configuration.blocksPerLevel {
        let skip = skipChannels.removeLast()
        result.blocks.append(builder.block("\(name).resnets.\(index)", from: channels + skip, to: width))
        channels = width
        if builder.hasAttention(level: level) {
          result.attentions.append(builder.attention("\(name).attentions.\(index)", channels))
        }
      }
      if level > 0 {
        result.upsampler = Convolution(
          "\(name).upsamplers.0.conv", from: channels, to: channels, in: &builder.declarations)
      }
      up.append(result)
    }
    self.up = up
    outputNorm = GroupNormLayer(
      "conv_norm_out", channels: channels, groupCount: configuration.groupCount, in: &builder.declarations)
    outputConvolution = Convolution(
      "conv_out", from: channels, to: configuration.outputChannels, initialisation: .nearZero,
      in: &builder.declarations)
    declarations = builder.declarations
    layout = declarations.layout
  }

  public var convolutionMethod: ConvolutionMethod { configuration.convolutionMethod }

  public func initialise(_ parameters: Arena, seed: UInt64, workers: WorkerPool) {
    declarations.initialise(parameters, seed: seed, workers: workers)
  }

  /// What the network says of x_t: the predicted noise ε̂(x_t, t), or whatever it is trained to say.
  ///
  /// - Parameters:
  ///   - x: noisy images x_t, [N, H, W, C].
  ///   - timesteps: t of each image, N of them.
  ///   - classes: of each image, nil for none of them; nil altogether for a network without classes.
  ///   - dropout: the masks to train with; nil drops nothing.
  ///   - recomputesBlocks: whether the backward pass makes each residual block again, with its attention, instead of
  ///     keeping what is inside it.
  /// - Returns: [N, H, W, output channels].
  public func callAsFunction(
    _ x: Variable, timesteps: [Float], classes: [Int?]? = nil, dropout: DropoutContext? = nil,
    recomputesBlocks: Bool = false, on tape: Tape
  ) -> Variable {
    precondition(timesteps.count == x.shape[0], "one time step for each image")
    let embedding = tape.silu(withClasses(classes, timeEmbedding(timesteps, on: tape), on: tape))
    let run = BlockRun(tape: tape, embedding: embedding, dropout: dropout, recomputesBlocks: recomputesBlocks)
    var (h, skips) = encoder(x, running: run)
    for level in up {
      for (index, block) in level.blocks.enumerated() {
        h = run(block, level.attentions.isEmpty ? nil : level.attentions[index], on: h, skips.removeLast())
      }
      if let upsampler = level.upsampler { h = upsampler.enlarging(h, on: tape) }
    }
    return outputConvolution(outputNorm(h, on: tape), on: tape)
  }

  private func withClasses(_ classes: [Int?]?, _ embedding: Variable, on tape: Tape) -> Variable {
    precondition((classes == nil) == (classEmbedding == nil), "classes are for a network that has them, and only it")
    guard let classEmbedding, let classes, let count = configuration.classCount else { return embedding }
    precondition(classes.count == embedding.shape[0], "one class for each image")
    return tape.addingRows(of: classEmbedding, classes.map { $0 ?? count }, to: embedding)
  }
}
