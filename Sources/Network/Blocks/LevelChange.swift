import Differentiation

/// Connects one level of a U-Net to the next.
enum LevelChange {
  case convolution(ResizingConvolution)
  case block(ResidualBlock)

  /// - Parameter direction: halving for the next level down, doubling for the next level up.
  init(_ direction: SizeChange.Direction, _ name: String, channels: Int, _ builder: inout BlockBuilder) {
    switch builder.architecture.levelChange {
    case .convolution:
      self = .convolution(ResizingConvolution(direction, "\(name).conv", from: channels, to: channels, &builder))
    case .residualBlock, .plainResidualBlock:
      let sizeChange = builder.sizeChange(direction)
      self = .block(ResidualBlock(name, from: channels, to: channels, changing: sizeChange, &builder))
    }
  }

  func callAsFunction(_ x: Variable, running run: BlockRun) -> Variable {
    switch self {
    case .convolution(let convolution): convolution(x, on: run.tape)
    case .block(let block): run(block, nil, on: x)
    }
  }
}
