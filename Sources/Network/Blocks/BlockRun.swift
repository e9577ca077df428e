import Differentiation
import Kernels

/// How a forward pass runs its blocks.
struct BlockRun {
  let tape: Tape
  /// silu of the time and class embedding, [N, embeddingChannels]; computed once for all blocks.
  let embedding: Variable
  let dropout: Dropout?
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
