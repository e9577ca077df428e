import Differentiation
import Tensors

/// Connects one level of a U-Net to the next.
enum LevelChange {
  case halving(HalvingConvolution)
  case doubling(DoublingConvolution)
  case block(ResidualBlock)

  func callAsFunction(_ x: Variable, running run: BlockRun) -> Variable {
    switch self {
    case .halving(let convolution): convolution(x, on: run.tape)
    case .doubling(let convolution): convolution(x, on: run.tape)
    case .block(let block): run(block, nil, on: x)
    }
  }
}
