import Differentiation
import Kernels
import Tensors

/// A classifier of noisy images that is told the time: the U-Net's way down and its middle, then the mean over the pixels
/// (Dhariwal, Nichol: "Diffusion models beat GANs on image synthesis", arXiv:2105.05233, section 4 and appendix H).
public struct ClassifierNetwork: TrainableNetwork {
  public let configuration: UNetConfiguration
  public let classCount: Int
  public let layout: ParameterLayout

  private let declarations: ParameterDeclarations
  private let timeEmbedding: TimeEmbedding
  private let encoder: Encoder
  private let norm: GroupNormLayer
  private let head: LinearLayer

  /// - Parameter configuration: of a U-Net with such a way down; its output and classes do not count.
  public init(_ configuration: UNetConfiguration, classCount: Int) {
    self.configuration = configuration
    self.classCount = classCount
    var builder = BlockBuilder(configuration)
    timeEmbedding = TimeEmbedding(configuration, in: &builder.declarations)
    encoder = Encoder(&builder)
    norm = builder.norm("classifier_norm", encoder.channels)
    head = LinearLayer("classifier_head", from: encoder.channels, to: classCount, in: &builder.declarations)
    declarations = builder.declarations
    layout = declarations.layout
  }

  public var convolutionMethod: ConvolutionMethod { configuration.convolutionMethod }

  public func initialise(_ parameters: Arena, seed: UInt64, workers: WorkerPool) {
    declarations.initialise(parameters, seed: seed, workers: workers)
  }

  /// log p(class | x_t) but for what all classes have in common.
  ///
  /// - Parameters:
  ///   - x: noisy images x_t, [N, H, W, C].
  ///   - timesteps: t of each image, N of them.
  ///   - dropout: the masks to train with; nil drops nothing.
  ///   - recomputesBlocks: whether the backward pass makes each residual block again.
  /// - Returns: [N, classCount].
  public func callAsFunction(
    _ x: Variable, timesteps: [Float], dropout: DropoutContext? = nil, recomputesBlocks: Bool = false, on tape: Tape
  ) -> Variable {
    let features = features(
      x, timesteps: timesteps, dropout: dropout, recomputesBlocks: recomputesBlocks, on: tape)
    return logits(features, on: tape)
  }

  /// Channels of the features.
  public var featureCount: Int { encoder.channels }

  /// What the classes are told from: the last feature maps' means over the pixels, [N, featureCount].
  public func features(
    _ x: Variable, timesteps: [Float], dropout: DropoutContext? = nil, recomputesBlocks: Bool = false, on tape: Tape
  ) -> Variable {
    precondition(timesteps.count == x.shape[0], "one time step for each image")
    let embedding = tape.silu(timeEmbedding(timesteps, on: tape))
    let run = BlockRun(tape: tape, embedding: embedding, dropout: dropout, recomputesBlocks: recomputesBlocks)
    let (h, _) = encoder(x, running: run)
    return tape.pixelMean(norm(h, on: tape))
  }

  /// log p(class | x_t) but for a constant, [N, classCount], from the features.
  public func logits(_ features: Variable, on tape: Tape) -> Variable { head(features, on: tape) }
}
