import Differentiation

/// The part of a U-Net from the image down to its lowest level, including the middle.
struct Encoder {
  private let inputConvolution: Convolution
  private let levels: [Level]
  private let middleBlock1: ResidualBlock
  private let middleAttention: AttentionBlock
  private let middleBlock2: ResidualBlock
  /// The channels of each skip connection and of the result.
  let skipChannels: [Int]
  let channels: Int

  private struct Level {
    var blocks: [ResidualBlock] = []
    var attentions: [AttentionBlock] = []
    var descent: LevelChange?
    var progressiveInput: ProgressiveInput?
  }

  init(_ builder: inout BlockBuilder) {
    let configuration = builder.configuration
    let base = configuration.channels
    inputConvolution = Convolution("conv_in", from: configuration.inputChannels, to: base, &builder)
    var skipChannels = [base]
    var channels = base
    var pyramidChannels = configuration.inputChannels
    var levels: [Level] = []
    for level in configuration.multipliers.indices {
      let name = "down_blocks.\(level)"
      let width = configuration.multipliers[level] * base
      var result = Level()
      for index in 0..<configuration.blocksPerLevel {
        result.blocks.append(ResidualBlock("\(name).resnets.\(index)", from: channels, to: width, &builder))
        channels = width
        if builder.hasAttention(level: level) {
          result.attentions.append(AttentionBlock("\(name).attentions.\(index)", channels: channels, &builder))
        }
        skipChannels.append(channels)
      }
      if level < configuration.multipliers.count - 1 {
        result.descent = LevelChange(.halving, "\(name).downsamplers.0", channels: channels, &builder)
        result.progressiveInput = ProgressiveInput(
          name, pyramidChannels: &pyramidChannels, channels: &channels, &builder)
        skipChannels.append(channels)
      }
      levels.append(result)
    }
    self.levels = levels
    self.skipChannels = skipChannels
    self.channels = channels
    middleBlock1 = ResidualBlock("mid_block.resnets.0", from: channels, to: channels, &builder)
    middleAttention = AttentionBlock("mid_block.attentions.0", channels: channels, &builder)
    middleBlock2 = ResidualBlock("mid_block.resnets.1", from: channels, to: channels, &builder)
  }

  /// - Parameter x: [N, H, W, input channels].
  /// - Returns: the lowest level's values, and the skip connections in the order in which they were computed.
  func callAsFunction(_ x: Variable, running run: BlockRun) -> (result: Variable, skips: [ParkedVariable]) {
    var pyramid = x
    var h = inputConvolution(x, on: run.tape)
    var skips = [ParkedVariable(h)]
    for level in levels {
      for (index, block) in level.blocks.enumerated() {
        h = run(block, level.attentions.isEmpty ? nil : level.attentions[index], on: h)
        skips.append(ParkedVariable(h))
      }
      if let descent = level.descent {
        h = descent(h, running: run)
        if let input = level.progressiveInput { h = input(h, pyramid: &pyramid, on: run.tape) }
        skips.append(ParkedVariable(h))
      }
    }
    h = run(middleBlock1, middleAttention, on: h)
    h = run(middleBlock2, nil, on: h)
    return (h, skips)
  }
}
