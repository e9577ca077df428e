import Differentiation
import Kernels
import Tensors

/// What a network is told of the time: sinusoids through two linear layers (Ho, Jain, Abbeel, arXiv:2006.11239,
/// appendix B).
struct TimeEmbedding {
  private let linear1: LinearLayer
  private let linear2: LinearLayer
  private let channels: Int

  init(_ configuration: UNetConfiguration, in declarations: inout ParameterDeclarations) {
    channels = configuration.channels
    let embedding = configuration.embeddingChannels
    linear1 = LinearLayer("time_embedding.linear_1", from: channels, to: embedding, in: &declarations)
    linear2 = LinearLayer("time_embedding.linear_2", from: embedding, to: embedding, in: &declarations)
  }

  /// [N, embeddingChannels].
  func callAsFunction(_ timesteps: [Float], on tape: Tape) -> Variable {
    let sinusoids = Tensor(uninitialised: [timesteps.count, channels])
    TimestepEmbedding.embed(
      timesteps: timesteps, count: timesteps.count, dimension: channels, into: sinusoids.pointer)
    return linear2(tape.silu(linear1(tape.input(sinusoids), on: tape)), on: tape)
  }
}
