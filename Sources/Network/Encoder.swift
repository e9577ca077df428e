import Differentiation
import Tensors

/// The way of a U-Net from the image down to its lowest level, and through the middle.
struct Encoder {
  private let inputConvolution: Convolution
  private let levels: [Level]
  private let middleBlock1: ResidualBlock
  private let middleAttention: AttentionBlock
  private let middleBlock2: ResidualBlock
  /// Channels of each value that is kept for the way up, and of the result.
  let skipChannels: [Int]
  let channels: Int

  private struct Level {
    var blocks: [ResidualBlock] = []
    var attentions: [AttentionBlock] = []
    var downsampler: Convolution?
  }

  init(_ builder: inout BlockBuilder) {
    let configuration = builder.configuration
    let base = configuration.channels
    inputConvolution = Convolution("conv_in", from: configuration.imageChannels, to: base, in: &builder.declarations)
    var skipChannels = [base]
    var channels = base
    var levels: [Level] = []
    for level in configuration.multipliers.indices {
      let name = "down_blocks.\(level)"
      let width = configuration.multipliers[level] * base
      var result = Level()
      for index in 0..<configuration.blocksPerLevel {
        result.blocks.append(builder.block("\(name).resnets.\(index)", from: channels, to: width))
        channels = width
        if builder.hasAttention(level: level) {
          result.attentions.append(builder.attention("\(name).attentions.\(index)", channels))
        }
        skipChannels.append(channels)
      }
      if level < configuration.multipliers.count - 1 {
        result.downsampler = Convolution(
          "\(name).downsamplers.0.conv", from: channels, to: channels, in: &builder.declarations)
        skipChannels.append(channels)
      }
      levels.append(result)
    }
    self.levels = levels
    self.skipChannels = skipChannels
    self.channels = channels
    middleBlock1 = builder.block("mid_block.resnets.0", from: channels, to: channels)
    middleAttention = builder.attention("mid_block.attentions.0", channels)
    middleBlock2 = builder.block("mid_block.resnets.1", from: channels, to: channels)
  }

  /// - Returns: the lowest level's values, and those that the way up joins, in the order in which they were made.
  func callAsFunction(_ x: Variable, running run: BlockRun) -> (result: Variable, skips: [Variable]) {
    let tape = run.tape
    var h = inputConvolution(x, on: tape)
    var skips = [h]
    for level in levels {
      for (index, block) in level.blocks.enumerated() {
        h = run(block, level.attentions.isEmpty ? nil : level.attentions[index], on: h)
        skips.append(h)
      }
      if let downsampler = level.downsampler {
        h = tape.downsampling3x3(h, kernel: downsampler.kernel, bias: downsampler.bias)
        skips.append(h)
      }
    }
    h = run(middleBlock1, middleAttention, on: h)
    h = run(middleBlock2, nil, on: h)
    return (h, skips)
  }
}

/// Declares the blocks of a network one after the other.
struct BlockBuilder {
  let configuration: UNetConfiguration
  var declarations = ParameterDeclarations()
  private var blockCount = 0

  init(_ configuration: UNetConfiguration) { self.configuration = configuration }

  func hasAttention(level: Int) -> Bool {
    configuration.attentionResolutions.contains(configuration.imageHeight >> level)
  }

  mutating func block(_ name: String, from inChannels: Int, to outChannels: Int) -> ResidualBlock {
    defer { blockCount += 1 }
    return ResidualBlock(
      name, from: inChannels, to: outChannels, configuration: configuration, number: blockCount, in: &declarations)
  }

  mutating func attention(_ name: String, _ channels: Int) -> AttentionBlock {
    AttentionBlock(name, channels: channels, configuration: configuration, in: &declarations)
  }
}

/// How a forward pass runs its blocks.
struct BlockRun {
  let tape: Tape
  /// silu of what the blocks are told, [N, embeddingChannels]; computed once for all of them.
  let embedding: Variable
  let dropout: DropoutContext?
  let recomputesBlocks: Bool

  /// - Parameter parts: what counts as joined along the channels.
  func callAsFunction(_ block: ResidualBlock, _ attention: AttentionBlock?, on parts: Variable...) -> Variable {
    let dropout = dropout
    func body(_ inputs: [Variable], _ tape: Tape) -> Variable {
      let h = block(Array(inputs.dropFirst()), embedding: inputs[0], dropout: dropout, on: tape)
      return attention.map { $0(h, on: tape) } ?? h
    }
    let inputs = [embedding] + parts
    return recomputesBlocks ? tape.recomputing(inputs, body) : body(inputs, tape)
  }
}
