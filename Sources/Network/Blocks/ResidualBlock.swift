import Differentiation
import Kernels

/// Residual block: x + conv2(dropout(silu(norm2(conv1(silu(norm1(x))) + embedding)))), with a 1x1 convolution on the
/// shortcut where the number of channels changes (Ho, Jain, Abbeel, arXiv:2006.11239, appendix B).
///
/// With `UNetArchitecture.TimeConditioning.scaleShift` the embedding provides a scale s and a shift b instead, and the
/// block computes silu(norm2(conv1(…))·(1 + s) + b) (Nichol, Dhariwal, arXiv:2102.09672, section 4).
///
/// A block that changes the images' size does so before conv1 and on the shortcut, which then always has its convolution
/// (Brock, Donahue, Simonyan: "Large scale GAN training for high fidelity natural image synthesis", arXiv:1809.11096);
/// with `LevelChangeKind.plainResidualBlock` it has none (Dhariwal, Nichol, arXiv:2105.05233, section 3).
struct ResidualBlock {
  let norm1: GroupNormLayer
  let conv1: Convolution
  let timeProjection: LinearLayer
  let timeConditioning: UNetArchitecture.TimeConditioning
  let norm2: GroupNormLayer
  let conv2: Convolution
  let shortcut: LinearLayer?
  let sizeChange: SizeChange?
  /// The factor of the sum.
  let scale: Float
  /// Distinguishes this block's dropout masks from those of other blocks.
  let number: Int

  init(
    _ name: String, from inChannels: Int, to outChannels: Int, changing sizeChange: SizeChange? = nil,
    _ builder: inout BlockBuilder
  ) {
    number = builder.blockCount
    builder.blockCount += 1
    self.sizeChange = sizeChange
    scale = builder.architecture.sumScale
    norm1 = GroupNormLayer("\(name).norm1", channels: inChannels, &builder)
    conv1 = Convolution("\(name).conv1", from: inChannels, to: outChannels, &builder)
    timeConditioning = builder.architecture.timeConditioning
    timeProjection = LinearLayer(
      "\(name).time_emb_proj", from: builder.configuration.embeddingChannels,
      to: timeConditioning == .add ? outChannels : 2 * outChannels, &builder)
    norm2 = GroupNormLayer("\(name).norm2", channels: outChannels, &builder)
    conv2 = Convolution("\(name).conv2", from: outChannels, to: outChannels, initialisation: .nearZero, &builder)
    let mapsResized = sizeChange != nil && builder.architecture.levelChange == .residualBlock
    shortcut =
      inChannels == outChannels && !mapsResized
      ? nil
      : LinearLayer("\(name).conv_shortcut", from: inChannels, to: outChannels, isConvolution: true, &builder)
  }

  /// - Parameters:
  ///   - x: [N, H, W, in], in parts that are joined along the channels; a single part if there is no shortcut or the
  ///     size changes.
  ///   - embedding: silu of the time embedding, [N, embeddingChannels].
  func callAsFunction(
    _ x: [Variable], embedding: Variable, dropout: Dropout?, on tape: Tape
  ) -> Variable {
    let projected = timeProjection(embedding, on: tape)
    let (addend, modulation) = timeConditioning == .add ? (projected, nil) : (nil, projected)
    let normalised = norm1(joined: x, on: tape)
    let h =
      sizeChange.map { $0.convolving(normalised, conv1, perImage: addend, on: tape) }
      ?? conv1(normalised, perImage: addend, on: tape)
    var ownDropout = dropout?.probability == 0 ? nil : dropout
    ownDropout?.layer = number
    let dropped = norm2(h, modulation: modulation, dropout: ownDropout, on: tape)
    return conv2(dropped, residual: straight(x, on: tape), scale: scale, on: tape)
  }

  private func straight(_ x: [Variable], on tape: Tape) -> Variable {
    switch (sizeChange, shortcut) {
    case (nil, nil): x[0]
    case (nil, let shortcut?): shortcut(joined: x, on: tape)
    case (let sizeChange?, nil): sizeChange(x[0], on: tape)
    case (let sizeChange?, let shortcut?): sizeChange.mapping(x[0], shortcut, on: tape)
    }
  }
}
