import Differentiation

/// The part of a U-Net from its lowest level up to the output.
struct Decoder {
  private let levels: [Level]
  /// nil if the pyramid of `ProgressiveOutput.outputSkip` is the output.
  private let output: (norm: GroupNormLayer, convolution: Convolution)?

  private struct Level {
    var blocks: [ResidualBlock] = []
    /// Keyed by the index of the block that each follows.
    var attentions: [Int: AttentionBlock] = [:]
    var progressiveOutput: ProgressiveOutput?
    var ascent: LevelChange?
  }

  init(after encoder: Encoder, _ builder: inout BlockBuilder) {
    let configuration = builder.configuration
    var skipChannels = encoder.skipChannels
    var channels = encoder.channels
    var pyramidChannels: Int?
    var levels: [Level] = []
    for level in configuration.multipliers.indices.reversed() {
      let name = "up_blocks.\(levels.count)"
      let width = configuration.multipliers[level] * configuration.channels
      let last = configuration.blocksPerLevel
      var result = Level()
      for index in 0...last {
        let skip = skipChannels.removeLast()
        result.blocks.append(ResidualBlock("\(name).resnets.\(index)", from: channels + skip, to: width, &builder))
        channels = width
        let belongsHere = index == last || builder.architecture.upwardAttention == .everyBlock
        if builder.hasAttention(level: level) && belongsHere {
          let number = result.attentions.count
          result.attentions[index] = AttentionBlock("\(name).attentions.\(number)", channels: channels, &builder)
        }
      }
      result.progressiveOutput = ProgressiveOutput(
        name, channels: channels, pyramidChannels: &pyramidChannels, &builder)
      if level > 0 { result.ascent = LevelChange(.doubling, "\(name).upsamplers.0", channels: channels, &builder) }
      levels.append(result)
    }
    self.levels = levels
    if builder.architecture.progressiveOutput == .outputSkip {
      output = nil
    } else {
      output = (
        GroupNormLayer("conv_norm_out", channels: channels, &builder),
        Convolution(
          "conv_out", from: channels, to: configuration.outputChannels, initialisation: .nearZero, &builder)
      )
    }
  }

  /// - Parameter skips: the encoder's skip connections, in the order in which it computed them.
  /// - Returns: [N, H, W, output channels].
  func callAsFunction(
    _ x: consuming Variable, skips: consuming [ParkedVariable], running run: BlockRun
  ) -> Variable {
    var h = consume x
    var pyramid: Variable?
    for level in levels {
      for (index, block) in level.blocks.enumerated() {
        h = run(block, level.attentions[index], on: h, skips.removeLast().resumed())
      }
      if let output = level.progressiveOutput { h = output(h, pyramid: &pyramid, on: run.tape) }
      if let ascent = level.ascent { h = ascent(h, running: run) }
    }
    if let output {
      let normalised = output.norm(h, on: run.tape)
      return run.tape.inSinglePrecision { output.convolution(normalised, on: run.tape) }
    }
    guard let pyramid else { preconditionFailure("a network without a last convolution has a pyramid") }
    return pyramid
  }
}
