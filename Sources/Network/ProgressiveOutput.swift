import Differentiation
import Kernels
import Tensors

/// What a level going up contributes to a pyramid that grows towards the output (Song et al., arXiv:2011.13456, appendix
/// H.1, after Karras et al., arXiv:1912.04958, section 4.1).
enum ProgressiveOutput {
  /// An image, added to the floor below made twice as large, which the lowest level does not have.
  case outputSkip(SizeChange, GroupNormLayer, Convolution)
  /// The pyramid's lowest floor, made of the lowest level's values, which themselves go on as they are.
  case residualStart(GroupNormLayer, Convolution)
  /// `scale` times the sum of the level's values and a convolution of the floor below made twice as large.
  case residual(DoublingConvolution, scale: Float)

  /// - Parameter pyramidChannels: of the floor below, nil for the lowest level; those of this floor afterwards.
  /// - Returns: nil for an architecture without.
  init?(_ name: String, channels: Int, pyramidChannels: inout Int?, _ builder: inout BlockBuilder) {
    switch (builder.architecture.progressiveOutput, pyramidChannels) {
    case (.none, _): return nil
    case (.outputSkip, _):
      let outputChannels = builder.configuration.outputChannels
      self = .outputSkip(
        builder.sizeChange(.doubling), builder.norm("\(name).skip_norm", channels),
        builder.convolution("\(name).skip_conv", from: channels, to: outputChannels, initialisation: .nearZero))
      pyramidChannels = outputChannels
    case (.residual, nil):
      self = .residualStart(
        builder.norm("\(name).skip_norm", channels),
        builder.convolution("\(name).skip_conv", from: channels, to: channels))
      pyramidChannels = channels
    case (.residual, let below?):
      self = .residual(
        builder.doublingConvolution("\(name).skip_conv", from: below, to: channels),
        scale: builder.architecture.sumScale)
      pyramidChannels = channels
    }
  }

  /// - Parameters:
  ///   - h: the level's values.
  ///   - pyramid: the floor below, nil for the lowest level; this floor afterwards.
  /// - Returns: what the level goes on with.
  func callAsFunction(_ h: Variable, pyramid: inout Variable?, on tape: Tape) -> Variable {
    switch self {
    case .outputSkip(let doubling, let norm, let convolution):
      let below = pyramid.map { doubling($0, on: tape) }
      pyramid = convolution(norm(h, on: tape), residual: below, on: tape)
      return h
    case .residualStart(let norm, let convolution):
      pyramid = convolution(norm(h, on: tape), on: tape)
      return h
    case .residual(let convolution, let scale):
      guard let below = pyramid else { preconditionFailure("only the lowest level has no floor below") }
      let sum = tape.sum(convolution(below, on: tape), h, scale: scale)
      pyramid = sum
      return sum
    }
  }
}
