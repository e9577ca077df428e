import Differentiation
import Kernels

/// A classifier of noisy images, conditioned on the time: the U-Net's encoder with its middle, then the mean over the
/// pixels (Dhariwal, Nichol: "Diffusion models beat GANs on image synthesis", arXiv:2105.05233, section 4 and appendix
/// H).
package struct ClassifierNetwork: TrainableNetwork {
  package let configuration: UNetConfiguration
  package let classCount: Int
  package let declarations: ParameterDeclarations

  private let timeEmbedding: TimeEmbedding
  private let encoder: Encoder
  private let norm: GroupNormLayer
  private let head: LinearLayer

  /// - Parameter configuration: the configuration of a U-Net with the same encoder; its output, classes and given
  ///   channels are ignored.
  package init(_ configuration: UNetConfiguration, classCount: Int) {
    var configuration = configuration
    configuration.conditionChannels = 0
    self.configuration = configuration
    self.classCount = classCount
    var builder = BlockBuilder(configuration)
    timeEmbedding = TimeEmbedding(&builder)
    encoder = Encoder(&builder)
    norm = GroupNormLayer("classifier_norm", channels: encoder.channels, &builder)
    head = LinearLayer("classifier_head", from: encoder.channels, to: classCount, &builder)
    declarations = builder.declarations
  }

  /// Unnormalised log-probabilities log p(class | x_t), equal up to a constant per image.
  ///
  /// - Parameters:
  ///   - x: noisy images x_t, [N, H, W, C].
  ///   - timesteps: t of each image, N values.
  ///   - dropout: the masks to train with, whose layer each block chooses; nil drops nothing.
  ///   - recomputesBlocks: whether the backward pass recomputes each residual block.
  /// - Returns: [N, classCount].
  package func callAsFunction(
    _ x: Variable, timesteps: [Float], dropout: Dropout? = nil, recomputesBlocks: Bool = false, on tape: Tape
  ) -> Variable {
    let features = features(
      x, timesteps: timesteps, dropout: dropout, recomputesBlocks: recomputesBlocks, on: tape)
    return logits(features, on: tape)
  }

  /// The number of features.
  package var featureCount: Int { encoder.channels }

  /// The features that classes are predicted from: the means of the last feature maps over the pixels, [N,
  /// featureCount].
  package func features(
    _ x: Variable, timesteps: [Float], dropout: Dropout? = nil, recomputesBlocks: Bool = false, on tape: Tape
  ) -> Variable {
    precondition(timesteps.count == x.shape[0], "each image needs one time step")
    let embedding = tape.silu(timeEmbedding(timesteps, on: tape))
    let run = BlockRun(tape: tape, embedding: embedding, dropout: dropout, recomputesBlocks: recomputesBlocks)
    let (h, _) = encoder(x, running: run)
    return tape.pixelMean(norm(h, on: tape))
  }

  /// Unnormalised log p(class | x_t), [N, classCount], from the features.
  package func logits(_ features: Variable, on tape: Tape) -> Variable { head(features, on: tape) }
}
