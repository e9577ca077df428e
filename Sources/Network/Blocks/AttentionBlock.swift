import Differentiation
import Kernels

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

  init(_ name: String, channels: Int, _ builder: inout BlockBuilder) {
    let initialisation = Initialisation.fanAverageUniform(scale: builder.architecture.attentionInitialScale)
    scale = builder.architecture.sumScale
    heads = builder.architecture.headCount(ofChannels: channels)
    norm = GroupNormLayer("\(name).group_norm", channels: channels, &builder)
    func linear(_ part: String, _ initialisation: Initialisation) -> LinearLayer {
      LinearLayer("\(name).\(part)", from: channels, to: channels, initialisation: initialisation, &builder)
    }
    query = linear("to_q", initialisation)
    key = linear("to_k", initialisation)
    value = linear("to_v", initialisation)
    output = linear("to_out.0", .nearZero)
  }

  func callAsFunction(_ x: Variable, on tape: Tape) -> Variable {
    let h = norm(x, activation: .identity, on: tape)
    let attended = tape.attention(
      query: query(h, on: tape), key: key(h, on: tape), value: value(h, on: tape), heads: heads)
    return output(attended, residual: x, scale: scale, on: tape)
  }
}
