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
public struct UNet {
  public let configuration: UNetConfiguration
  public let layout: ParameterLayout

  private let declarations: ParameterDeclarations
  private let timeEmbedding1: LinearLayer
  private let timeEmbedding2: LinearLayer
  /// A row for each class, and a last one for none.
  private let classEmbedding: ParameterEntry?
  private let inputConvolution: Convolution
  private let down: [DownLevel]
  private let middleBlock1: ResidualBlock
  private let middleAttention: AttentionBlock
  private let middleBlock2: ResidualBlock
  private let up: [UpLevel]
  private let outputNorm: GroupNormLayer
  private let outputConvolution: Convolution

  private struct DownLevel {
    var blocks: [ResidualBlock] = []
    var attentions: [AttentionBlock] = []
    var downsampler: Convolution?
  }

  private struct UpLevel {
    var blocks: [ResidualBlock] = []
    var attentions: [AttentionBlock] = []
    var upsampler: Convolution?
  }

  public init(_ configuration: UNetConfiguration) {
    self.configuration = configuration
    let base = configuration.channels
    let widths = configuration.multipliers.map { $0 * base }
    let levels = widths.count
    func hasAttention(_ level: Int) -> Bool {
      configuration.attentionResolutions.contains(configuration.imageHeight >> level)
    }
    var declarations = ParameterDeclarations()
    var blockNumber = 0
    func block(_ name: String, from inChannels: Int, to outChannels: Int) -> ResidualBlock {
      defer { blockNumber += 1 }
      return ResidualBlock(
        name, from: inChannels, to: outChannels, configuration: configuration, number: blockNumber, in: &declarations)
    }
    func attention(_ name: String, _ channels: Int) -> AttentionBlock {
      AttentionBlock(name, channels: channels, configuration: configuration, in: &declarations)
    }

    let embedding = configuration.embeddingChannels
    timeEmbedding1 = LinearLayer("time_embedding.linear_1", from: base, to: embedding, in: &declarations)
    timeEmbedding2 = LinearLayer("time_embedding.linear_2", from: embedding, to: embedding, in: &declarations)
    classEmbedding = configuration.classCount.map {
      declarations.add("class_embedding.weight", shape: [$0 + 1, embedding], order: .io, initialisation: .normal)
    }
    inputConvolution = Convolution("conv_in", from: configuration.imageChannels, to: base, in: &declarations)

    var skipChannels = [base]
    var channels = base
    down = (0..<levels).map { level in
      let name = "down_blocks.\(level)"
      var result = DownLevel()
      for index in 0..<configuration.blocksPerLevel {
        result.blocks.append(block("\(name).resnets.\(index)", from: channels, to: widths[level]))
        channels = widths[level]
        if hasAttention(level) { result.attentions.append(attention("\(name).attentions.\(index)", channels)) }
        skipChannels.append(channels)
      }
      if level < levels - 1 {
        result.downsampler = Convolution(
          "\(name).downsamplers.0.conv", from: channels, to: channels, in: &declarations)
        skipChannels.append(channels)
      }
      return result
    }

    middleBlock1 = block("mid_block.resnets.0", from: channels, to: channels)
    middleAttention = attention("mid_block.attentions.0", channels)
    middleBlock2 = block("mid_block.resnets.1", from: channels, to: channels)

    up = (0..<levels).map { index in
      let level = levels - 1 - index
      let name = "up_blocks.\(index)"
      var result = UpLevel()
      for index in 0...configuration.blocksPerLevel {
        let skip = skipChannels.removeLast()
        result.blocks.append(block("\(name).resnets.\(index)", from: channels + skip, to: widths[level]))
        channels = widths[level]
        if hasAttention(level) { result.attentions.append(attention("\(name).attentions.\(index)", channels)) }
      }
      if level > 0 {
        result.upsampler = Convolution("\(name).upsamplers.0.conv", from: channels, to: channels, in: &declarations)
      }
      return result
    }

    outputNorm = GroupNormLayer(
      "conv_norm_out", channels: channels, groupCount: configuration.groupCount, in: &declarations)
    outputConvolution = Convolution(
      "conv_out", from: channels, to: configuration.outputChannels, initialisation: .nearZero, in: &declarations)
    self.declarations = declarations
    layout = declarations.layout
  }

  /// Draws the initial values of all parameters, a function of the seed alone.
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
    let sinusoids = Tensor(uninitialised: [timesteps.count, configuration.channels])
    TimestepEmbedding.embed(
      timesteps: timesteps, count: timesteps.count, dimension: configuration.channels, into: sinusoids.pointer)
    let hidden = tape.silu(timeEmbedding1(tape.input(sinusoids), on: tape))
    // Every block takes silu(embedding): computed once.
    let embedding = tape.silu(withClasses(classes, timeEmbedding2(hidden, on: tape), on: tape))

    func apply(_ block: ResidualBlock, _ attention: AttentionBlock?, to parts: Variable...) -> Variable {
      func body(_ inputs: [Variable], _ tape: Tape) -> Variable {
        let h = block(Array(inputs.dropFirst()), embedding: inputs[0], dropout: dropout, on: tape)
        return attention.map { $0(h, on: tape) } ?? h
      }
      let inputs = [embedding] + parts
      return recomputesBlocks ? tape.recomputing(inputs, body) : body(inputs, tape)
    }

    var h = inputConvolution(x, on: tape)
    var skips = [h]
    for level in down {
      for (index, block) in level.blocks.enumerated() {
        h = apply(block, level.attentions.isEmpty ? nil : level.attentions[index], to: h)
        skips.append(h)
      }
      if let downsampler = level.downsampler {
        h = tape.downsampling3x3(h, kernel: downsampler.kernel, bias: downsampler.bias)
        skips.append(h)
      }
    }

    h = apply(middleBlock1, middleAttention, to: h)
    h = apply(middleBlock2, nil, to: h)

    for level in up {
      for (index, block) in level.blocks.enumerated() {
        h = apply(block, level.attentions.isEmpty ? nil : level.attentions[index], to: h, skips.removeLast())
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
