import Differentiation
import Kernels
import Tensors

/// Residual block: x + conv2(dropout(silu(norm2(conv1(silu(norm1(x))) + embedding)))), with a 1x1 convolution on the
/// shortcut where the number of channels changes (Ho, Jain, Abbeel, arXiv:2006.11239, appendix B).
struct ResidualBlock {
  let norm1: GroupNormLayer
  let conv1: Convolution
  let timeProjection: LinearLayer
  let norm2: GroupNormLayer
  let conv2: Convolution
  let shortcut: LinearLayer?
  /// Tells this block's dropout masks from those of other blocks.
  let number: Int

  init(
    _ name: String, from inChannels: Int, to outChannels: Int, configuration: UNetConfiguration, number: Int,
    in declarations: inout ParameterDeclarations
  ) {
    self.number = number
    norm1 = GroupNormLayer(
      "\(name).norm1", channels: inChannels, groupCount: configuration.groupCount, in: &declarations)
    conv1 = Convolution("\(name).conv1", from: inChannels, to: outChannels, in: &declarations)
    timeProjection = LinearLayer(
      "\(name).time_emb_proj", from: configuration.embeddingChannels, to: outChannels, in: &declarations)
    norm2 = GroupNormLayer(
      "\(name).norm2", channels: outChannels, groupCount: configuration.groupCount, in: &declarations)
    conv2 = Convolution(
      "\(name).conv2", from: outChannels, to: outChannels, initialisation: .nearZero, in: &declarations)
    shortcut =
      inChannels == outChannels
      ? nil
      : LinearLayer(
        "\(name).conv_shortcut", from: inChannels, to: outChannels, isConvolution: true, in: &declarations)
  }

  /// - Parameters:
  ///   - x: [N, H, W, in], in parts that count as joined along the channels; one, if there is no shortcut.
  ///   - embedding: silu of the time embedding, [N, embeddingChannels].
  func callAsFunction(
    _ x: [Variable], embedding: Variable, dropout: DropoutContext?, on tape: Tape
  ) -> Variable {
    let projected = timeProjection(embedding, on: tape)
    let h = conv1(norm1(joined: x, on: tape), perImage: projected, on: tape)
    let dropped = norm2(h, dropout: dropout?.mask(forBlock: number), on: tape)
    let straight = shortcut.map { $0(joined: x, on: tape) } ?? x[0]
    return conv2(dropped, residual: straight, on: tape)
  }
}

/// Self-attention over the pixels: x + out(attention(q, k, v of norm(x))), one head.
struct AttentionBlock {
  let norm: GroupNormLayer
  let query: LinearLayer
  let key: LinearLayer
  let value: LinearLayer
  let output: LinearLayer

  init(
    _ name: String, channels: Int, configuration: UNetConfiguration, in declarations: inout ParameterDeclarations
  ) {
    norm = GroupNormLayer(
      "\(name).group_norm", channels: channels, groupCount: configuration.groupCount, in: &declarations)
    query = LinearLayer("\(name).to_q", from: channels, to: channels, in: &declarations)
    key = LinearLayer("\(name).to_k", from: channels, to: channels, in: &declarations)
    value = LinearLayer("\(name).to_v", from: channels, to: channels, in: &declarations)
    output = LinearLayer(
      "\(name).to_out.0", from: channels, to: channels, initialisation: .nearZero, in: &declarations)
  }

  func callAsFunction(_ x: Variable, on tape: Tape) -> Variable {
    let h = norm(x, activation: .identity, on: tape)
    let attended = tape.attention(
      query: query(h, on: tape), key: key(h, on: tape),
      value: value(h, on: tape))
    return output(attended, residual: x, on: tape)
  }
}
