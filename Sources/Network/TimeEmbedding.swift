import Differentiation
import Kernels
import Tensors

/// The embedding of the time: sinusoids through two linear layers (Ho, Jain, Abbeel, arXiv:2006.11239, appendix B).
struct TimeEmbedding {
  private let features: Features
  private let linear1: LinearLayer
  private let linear2: LinearLayer

  private enum Features {
    case sinusoidal(channels: Int)
    /// With random frequencies, which are parameters that never change.
    case fourier(frequencies: ParameterEntry)

    var channels: Int {
      switch self {
      case .sinusoidal(let channels): channels
      case .fourier(let frequencies): 2 * frequencies.count
      }
    }
  }

  init(_ builder: inout BlockBuilder) {
    let (channels, embedding) = (builder.configuration.channels, builder.configuration.embeddingChannels)
    switch builder.architecture.timeFeatures {
    case .sinusoidal: features = .sinusoidal(channels: channels)
    case .fourier:
      features = .fourier(
        frequencies: builder.declarations.add(
          "time_proj.weight", shape: [channels], order: .c,
          initialisation: .normal(standardDeviation: builder.architecture.fourierScale)))
    }
    linear1 = LinearLayer("time_embedding.linear_1", from: features.channels, to: embedding, &builder)
    linear2 = LinearLayer("time_embedding.linear_2", from: embedding, to: embedding, &builder)
  }

  /// [N, embeddingChannels].
  func callAsFunction(_ timesteps: [Float], on tape: Tape) -> Variable {
    linear2(tape.silu(linear1(sinusoids(timesteps, on: tape), on: tape)), on: tape)
  }

  private func sinusoids(_ timesteps: [Float], on tape: Tape) -> Variable {
    switch features {
    case .fourier(let frequencies): return tape.fourierFeatures(of: timesteps, frequencies: frequencies)
    case .sinusoidal(let channels):
      let sinusoids = Tensor(uninitialised: [timesteps.count, channels])
      TimestepEmbedding.embed(timesteps: timesteps, into: sinusoids)
      return tape.input(sinusoids)
    }
  }
}
