import Differentiation
import Kernels
import Tensors

/// Self-attention over the pixels: x + out(attention(q, k, v of norm(x))).
struct AttentionBlock {
  let norm: GroupNormLayer
  let query: LinearLayer
  let key: LinearLayer
  let value: LinearLayer
  let output: LinearLayer
  let heads: Int
  /// The factor of the sum.
  let scale: Float

  init(
    _ name: String, channels: Int, configuration: UNetConfiguration, in declarations: inout ParameterDeclarations
  ) {
    let initialisation = Initialisation.fanAverageUniform(scale: configuration.architecture.attentionInitialScale)
    scale = configuration.architecture.sumScale
    heads = configuration.architecture.headCount(ofChannels: channels)
    norm = GroupNormLayer("\(name).group_norm", channels: channels, configuration, in: &declarations)
    query = LinearLayer(
      "\(name).to_q", from: channels, to: channels, initialisation: initialisation, in: &declarations)
    key = LinearLayer(
      "\(name).to_k", from: channels, to: channels, initialisation: initialisation, in: &declarations)
    value = LinearLayer(
      "\(name).to_v", from: channels, to: channels, initialisation: initialisation, in: &declarations)
    output = LinearLayer(
      "\(name).to_out.0", from: channels, to: channels, initialisation: .nearZero, in: &declarations)
  }

  func callAsFunction(_ x: Variable, on tape: Tape) -> Variable {
    let h = norm(x, activation: .identity, on: tape)
    let attended = tape.attention(
      query: query(h, on: tape), key: key(h, on: tape), value: value(h, on: tape), heads: heads)
    return output(attended, residual: x, scale: scale, on: tape)
  }
}
