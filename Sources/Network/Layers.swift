import Differentiation
import Kernels
import Tensors

/// 3x3 convolution with bias.
struct Convolution {
  let kernel: ParameterEntry
  let bias: ParameterEntry
  let periodicity: Periodicity

  init(
    _ name: String, from inChannels: Int, to outChannels: Int,
    initialisation: Initialisation = .fanAverageUniform(scale: 1), _ builder: inout BlockBuilder
  ) {
    kernel = builder.declarations.add(
      "\(name).weight", shape: [3, 3, inChannels, outChannels], order: .hwio, initialisation: initialisation)
    bias = builder.declarations.add("\(name).bias", shape: [outChannels], order: .c, initialisation: .zeros)
    periodicity = builder.configuration.periodicity
  }

  /// - Parameter enlargesInput: whether x is first enlarged twofold by repeating its pixels.
  func callAsFunction(
    _ x: Variable, enlargesInput: Bool = false, perImage: Variable? = nil, residual: Variable? = nil,
    scale: Float = 1, on tape: Tape
  ) -> Variable {
    tape.convolution3x3(
      x, kernel: kernel, bias: bias, enlargesInput: enlargesInput, periodicity: periodicity, perImage: perImage,
      residual: residual, scale: scale)
  }
}

/// A linear map over channels, with bias: a matrix [in, out], or a 1x1 convolution [1, 1, in, out].
struct LinearLayer {
  let matrix: ParameterEntry
  let bias: ParameterEntry

  init(
    _ name: String, from inputs: Int, to outputs: Int, isConvolution: Bool = false,
    initialisation: Initialisation = .fanAverageUniform(scale: 1), _ builder: inout BlockBuilder
  ) {
    matrix = builder.declarations.add(
      "\(name).weight", shape: isConvolution ? [1, 1, inputs, outputs] : [inputs, outputs],
      order: isConvolution ? .hwio : .io, initialisation: initialisation)
    bias = builder.declarations.add("\(name).bias", shape: [outputs], order: .c, initialisation: .zeros)
  }

  /// - Parameter x: [N, …, in]: rows, or images whose pixels are mapped separately.
  func callAsFunction(_ x: Variable, residual: Variable? = nil, scale: Float = 1, on tape: Tape) -> Variable {
    self(joined: [x], residual: residual, scale: scale, on: tape)
  }

  /// The same for x in parts, joined along the channels.
  func callAsFunction(
    joined x: [Variable], residual: Variable? = nil, scale: Float = 1, on tape: Tape
  ) -> Variable {
    tape.pointwise(x, matrix: matrix, bias: bias, residual: residual, scale: scale)
  }
}

/// Group normalisation with a learned scale and offset per channel.
struct GroupNormLayer {
  let scale: ParameterEntry
  let offset: ParameterEntry
  let groupCount: Int

  static let epsilon: Float = 1e-6

  init(_ name: String, channels: Int, _ builder: inout BlockBuilder) {
    scale = builder.declarations.add("\(name).weight", shape: [channels], order: .c, initialisation: .ones)
    offset = builder.declarations.add("\(name).bias", shape: [channels], order: .c, initialisation: .zeros)
    groupCount = builder.configuration.groupCount(ofChannels: channels)
  }

  /// - Parameter modulation: [N, 2·channels]; see `Tape.groupNorm`.
  func callAsFunction(
    _ x: Variable, modulation: Variable? = nil, activation: Activation = .silu, dropout: Dropout? = nil, on tape: Tape
  ) -> Variable {
    self(joined: [x], modulation: modulation, activation: activation, dropout: dropout, on: tape)
  }

  /// The same for x in parts, joined along the channels.
  func callAsFunction(
    joined x: [Variable], modulation: Variable? = nil, activation: Activation = .silu, dropout: Dropout? = nil,
    on tape: Tape
  ) -> Variable {
    tape.groupNorm(
      x, scale: scale, offset: offset, modulation: modulation, groupCount: groupCount, epsilon: Self.epsilon,
      activation: activation, dropout: dropout)
  }
}
