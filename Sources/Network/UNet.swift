import Differentiation
import Diffusion
import Kernels
import RealModule
import Tensors

/// The noise-predicting network of "Denoising Diffusion Probabilistic Models" (Ho, Jain, Abbeel, arXiv:2006.11239,
/// appendix B): a U-Net of residual blocks with attention at chosen resolutions, conditioned on the time step by a
/// sinusoidal embedding, and on the class, if it has classes, by a learned embedding that is added to it (Dhariwal,
/// Nichol, arXiv:2105.05233, section 3.1). Given channels are concatenated to x_t (Saharia et al.: "Image
/// super-resolution via iterative refinement", arXiv:2104.07636); levels that receive the image again receive both.
/// `UNetArchitecture` describes the variants.
///
/// With `Precision.bfloat16` the values between its layers are rounded; its inputs, embeddings and output are not.
///
/// Parameter names are those of diffusers' `UNet2DModel`, where it has them.
package struct UNet: TrainableNetwork {
  package let configuration: UNetConfiguration
  package let declarations: ParameterDeclarations

  private let timeEmbedding: TimeEmbedding
  /// One row for each class, and a last one for no class.
  private let classEmbedding: ParameterEntry?
  private let encoder: Encoder
  private let decoder: Decoder

  package init(_ configuration: UNetConfiguration) {
    self.configuration = configuration
    var builder = BlockBuilder(configuration)
    timeEmbedding = TimeEmbedding(&builder)
    classEmbedding = configuration.classCount.map {
      builder.declarations.add(
        "class_embedding.weight", shape: [$0 + 1, configuration.embeddingChannels], order: .io,
        initialisation: .normal(standardDeviation: 1))
    }
    encoder = Encoder(&builder)
    decoder = Decoder(after: encoder, &builder)
    declarations = builder.declarations
  }

  /// The network's prediction for x_t: the noise ε̂(x_t, t), or whatever it is trained to predict.
  ///
  /// - Parameters:
  ///   - x: noisy images x_t, [N, H, W, C].
  ///   - timesteps: t of each image, N values; the logarithm of σ for an architecture that divides by it.
  ///   - conditions: the classes of a network with classes, and the given channels of one with `conditionChannels`.
  ///   - dropout: the masks to train with, whose layer each block chooses; nil drops nothing.
  ///   - recomputesBlocks: whether the backward pass recomputes each residual block with its attention, instead of
  ///     keeping its activations.
  /// - Returns: [N, H, W, output channels].
  package func callAsFunction(
    _ x: Variable, timesteps: [Float], conditions: Conditions = .none, dropout: Dropout? = nil,
    recomputesBlocks: Bool = false, on tape: Tape
  ) -> Variable {
    precondition(timesteps.count == x.shape[0], "each image needs one time step")
    let embedding = tape.silu(withClasses(conditions.classes, timeEmbedding(timesteps, on: tape), on: tape))
    let run = BlockRun(tape: tape, embedding: embedding, dropout: dropout, recomputesBlocks: recomputesBlocks)
    let (h, skips) = encoder(withFields(conditions.fields, x, on: tape), running: run)
    // Consumed, so that the decoder can free what it no longer needs.
    let output = decoder(consume h, skips: consume skips, running: run)
    guard configuration.architecture.dividesOutputByNoise else { return output }
    return tape.inSinglePrecision { tape.scalingImages(output, by: timesteps.map { Float.exp(-$0) }) }
  }

  private func withFields(_ fields: Tensor?, _ x: Variable, on tape: Tape) -> Variable {
    precondition(
      fields?.shape[3] ?? 0 == configuration.conditionChannels,
      "a network with \(configuration.conditionChannels) given channels takes as many")
    guard let fields else { return x }
    return tape.inSinglePrecision { tape.joined(x, tape.input(fields)) }
  }

  private func withClasses(_ classes: [Int?]?, _ embedding: Variable, on tape: Tape) -> Variable {
    precondition((classes == nil) == (classEmbedding == nil), "only a network with classes takes classes")
    guard let classEmbedding, let classes, let count = configuration.classCount else { return embedding }
    precondition(classes.count == embedding.shape[0], "each image needs one class")
    return tape.addingRows(of: classEmbedding, classes.map { $0 ?? count }, to: embedding)
  }
}
