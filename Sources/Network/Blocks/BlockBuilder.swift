import Differentiation
import Tensors

/// Declares the blocks of a network one after another.
struct BlockBuilder {
  let configuration: UNetConfiguration
  var declarations = ParameterDeclarations()
  private var blockCount = 0

  init(_ configuration: UNetConfiguration) { self.configuration = configuration }

  var architecture: UNetArchitecture { configuration.architecture }

  func hasAttention(level: Int) -> Bool {
    configuration.attentionResolutions.contains(configuration.imageHeight >> level)
  }

  mutating func block(
    _ name: String, from inChannels: Int, to outChannels: Int, changing sizeChange: SizeChange? = nil
  ) -> ResidualBlock {
    defer { blockCount += 1 }
    return ResidualBlock(
      name, from: inChannels, to: outChannels, changing: sizeChange, configuration: configuration, number: blockCount,
      in: &declarations)
  }

  mutating func attention(_ name: String, _ channels: Int) -> AttentionBlock {
    AttentionBlock(name, channels: channels, configuration: configuration, in: &declarations)
  }

  mutating func norm(_ name: String, _ channels: Int) -> GroupNormLayer {
    GroupNormLayer(name, channels: channels, configuration, in: &declarations)
  }

  mutating func convolution(
    _ name: String, from inChannels: Int, to outChannels: Int,
    initialisation: Initialisation = .fanAverageUniform(scale: 1)
  ) -> Convolution {
    Convolution(name, from: inChannels, to: outChannels, initialisation: initialisation, in: &declarations)
  }

  mutating func halvingConvolution(_ name: String, from inChannels: Int, to outChannels: Int) -> HalvingConvolution {
    HalvingConvolution(
      convolution: convolution(name, from: inChannels, to: outChannels), filter: architecture.resamplingFilter)
  }

  mutating func doublingConvolution(_ name: String, from inChannels: Int, to outChannels: Int) -> DoublingConvolution {
    DoublingConvolution(
      convolution: convolution(name, from: inChannels, to: outChannels), filter: architecture.resamplingFilter)
  }

  /// To the next level down.
  mutating func descent(_ name: String, _ channels: Int) -> LevelChange {
    switch architecture.levelChange {
    case .convolution: .halving(halvingConvolution("\(name).conv", from: channels, to: channels))
    case .residualBlock: .block(block(name, from: channels, to: channels, changing: sizeChange(.halving)))
    }
  }

  /// To the next level up.
  mutating func ascent(_ name: String, _ channels: Int) -> LevelChange {
    switch architecture.levelChange {
    case .convolution: .doubling(doublingConvolution("\(name).conv", from: channels, to: channels))
    case .residualBlock: .block(block(name, from: channels, to: channels, changing: sizeChange(.doubling)))
    }
  }

  func sizeChange(_ direction: SizeChange.Direction) -> SizeChange {
    SizeChange(direction: direction, filter: architecture.resamplingFilter)
  }
}

/// How a forward pass runs its blocks.
struct BlockRun {
  let tape: Tape
  /// silu of the time and class embedding, [N, embeddingChannels]; computed once for all blocks.
  let embedding: Variable
  let dropout: DropoutContext?
  let recomputesBlocks: Bool

  /// - Parameter parts: the input, in parts that are joined along the channels.
  func callAsFunction(_ block: ResidualBlock, _ attention: AttentionBlock?, on parts: Variable...) -> Variable {
    let dropout = dropout
    func body(_ inputs: [Variable], _ tape: Tape) -> Variable {
      let h = block(Array(inputs.dropFirst()), embedding: inputs[0], dropout: dropout, on: tape)
      return attention.map { $0(h, on: tape) } ?? h
    }
    let inputs = [embedding] + parts
    return recomputesBlocks ? tape.recomputing(inputs, body) : body(inputs, tape)
  }
}
