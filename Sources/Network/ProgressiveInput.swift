import Differentiation

/// The additional input of an encoder level: a pyramid of the image, with one floor per level (Karras et al.:
/// "Analyzing and improving the image quality of StyleGAN", arXiv:1912.04958, section 4.1; Song et al.,
/// arXiv:2011.13456, appendix H.1).
enum ProgressiveInput {
  /// The halved image, through a 1x1 convolution.
  case inputSkip(SizeChange, LinearLayer, UNetArchitecture.Combination)
  /// A chain of strided convolutions. Each floor becomes `scale` times the sum of itself and the level's values.
  case residual(ResizingConvolution, scale: Float)

  /// - Parameters:
  ///   - pyramidChannels: the channels of the floor above; replaced by those of this floor.
  ///   - channels: the channels of the level's values; replaced by those of the result.
  /// - Returns: nil for an architecture without progressive input.
  init?(_ name: String, pyramidChannels: inout Int, channels: inout Int, _ builder: inout BlockBuilder) {
    let architecture = builder.architecture
    switch architecture.progressiveInput {
    case .none: return nil
    case .inputSkip:
      let layer = LinearLayer(
        "\(name).skip_conv", from: pyramidChannels, to: channels, isConvolution: true, &builder)
      self = .inputSkip(builder.sizeChange(.halving), layer, architecture.combination)
      if architecture.combination == .concatenation { channels *= 2 }
    case .residual:
      self = .residual(
        ResizingConvolution(.halving, "\(name).skip_conv", from: pyramidChannels, to: channels, &builder),
        scale: architecture.sumScale)
      pyramidChannels = channels
    }
  }

  /// - Parameters:
  ///   - h: the level's values.
  ///   - pyramid: the floor above; replaced by this floor.
  /// - Returns: the level's new values.
  func callAsFunction(_ h: Variable, pyramid: inout Variable, on tape: Tape) -> Variable {
    switch self {
    case .inputSkip(let halving, let layer, let combination):
      pyramid = halving(pyramid, on: tape)
      switch combination {
      case .sum: return layer(pyramid, residual: h, on: tape)
      case .concatenation: return tape.joined(layer(pyramid, on: tape), h)
      }
    case .residual(let convolution, let scale):
      pyramid = tape.sum(convolution(pyramid, on: tape), h, scale: scale)
      return pyramid
    }
  }
}
