import Differentiation
import Kernels
import Tensors

/// What reaches a level going down beside the values of the level above: a pyramid of the image, one floor a level (Karras
/// et al.: "Analyzing and improving the image quality of StyleGAN", arXiv:1912.04958, section 4.1; Song et al.,
/// arXiv:2011.13456, appendix H.1).
enum ProgressiveInput {
  /// The image halved, and a 1x1 convolution of it.
  case inputSkip(SizeChange, LinearLayer, UNetArchitecture.Combination)
  /// A chain of strided convolutions, with `scale` times the sum of itself and the level's values.
  case residual(HalvingConvolution, scale: Float)

  /// - Parameters:
  ///   - pyramidChannels: of the floor above; those of this floor afterwards.
  ///   - channels: of the level's values; those of the result afterwards.
  /// - Returns: nil for an architecture without.
  init?(_ name: String, pyramidChannels: inout Int, channels: inout Int, _ builder: inout BlockBuilder) {
    let architecture = builder.architecture
    switch architecture.progressiveInput {
    case .none: return nil
    case .inputSkip:
      let layer = LinearLayer(
        "\(name).skip_conv", from: pyramidChannels, to: channels, isConvolution: true, in: &builder.declarations)
      self = .inputSkip(builder.sizeChange(.halving), layer, architecture.combination)
      if architecture.combination == .concatenation { channels *= 2 }
    case .residual:
      self = .residual(
        builder.halvingConvolution("\(name).skip_conv", from: pyramidChannels, to: channels),
        scale: architecture.sumScale)
      pyramidChannels = channels
    }
  }

  /// - Parameters:
  ///   - h: the level's values.
  ///   - pyramid: the floor above; this floor afterwards.
  /// - Returns: what the level goes on with.
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
