import Differentiation

/// A decoder level's contribution to a pyramid that grows towards the output (Song et al., arXiv:2011.13456, appendix
/// H.1, after Karras et al., arXiv:1912.04958, section 4.1).
enum ProgressiveOutput {
  /// An image, added to the enlarged floor below, which the lowest level does not have.
  case outputSkip(SizeChange, GroupNormLayer, Convolution)
  /// The pyramid's lowest floor, computed from the lowest level's values, which stay unchanged.
  case residualStart(GroupNormLayer, Convolution)
  /// `scale` times the sum of the level's values and a convolution of the enlarged floor below.
  case residual(ResizingConvolution, scale: Float)

  /// - Parameter pyramidChannels: the channels of the floor below, nil for the lowest level; replaced by those of this
  ///   floor.
  /// - Returns: nil for an architecture without progressive output.
  init?(_ name: String, channels: Int, pyramidChannels: inout Int?, _ builder: inout BlockBuilder) {
    switch (builder.architecture.progressiveOutput, pyramidChannels) {
    case (.none, _): return nil
    case (.outputSkip, _):
      let outputChannels = builder.configuration.outputChannels
      self = .outputSkip(
        builder.sizeChange(.doubling), GroupNormLayer("\(name).skip_norm", channels: channels, &builder),
        Convolution("\(name).skip_conv", from: channels, to: outputChannels, initialisation: .nearZero, &builder))
      pyramidChannels = outputChannels
    case (.residual, nil):
      self = .residualStart(
        GroupNormLayer("\(name).skip_norm", channels: channels, &builder),
        Convolution("\(name).skip_conv", from: channels, to: channels, &builder))
      pyramidChannels = channels
    case (.residual, let below?):
      self = .residual(
        ResizingConvolution(.doubling, "\(name).skip_conv", from: below, to: channels, &builder),
        scale: builder.architecture.sumScale)
      pyramidChannels = channels
    }
  }

  /// - Parameters:
  ///   - h: the level's values.
  ///   - pyramid: the floor below, nil for the lowest level; replaced by this floor.
  /// - Returns: the level's new values.
  func callAsFunction(_ h: Variable, pyramid: inout Variable?, on tape: Tape) -> Variable {
    switch self {
    case .outputSkip(let doubling, let norm, let convolution):
      let below = pyramid.map { doubling($0, on: tape) }
      pyramid = tape.inSinglePrecision { convolution(norm(h, on: tape), residual: below, on: tape) }
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
