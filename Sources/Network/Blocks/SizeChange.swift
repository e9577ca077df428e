import Differentiation
import Kernels
import Tensors

/// Halves or doubles the height and width of images.
struct SizeChange: Equatable {
  enum Direction { case halving, doubling }

  let direction: Direction
  let filter: Resampling.Filter

  /// x resized.
  func callAsFunction(_ x: Variable, on tape: Tape) -> Variable {
    tape.resampled(x, by: direction == .halving ? .halving(filter) : .doubling(filter))
  }

  /// The 3x3 convolution of the resized x.
  func convolving(_ x: Variable, _ convolution: Convolution, perImage: Variable?, on tape: Tape) -> Variable {
    convolution(repeatsPixels ? x : self(x, on: tape), enlargesInput: repeatsPixels, perImage: perImage, on: tape)
  }

  /// The linear map of the pixels of the resized x. Repeated pixels are mapped only once.
  func mapping(_ x: Variable, _ layer: LinearLayer, on tape: Tape) -> Variable {
    repeatsPixels ? self(layer(x, on: tape), on: tape) : layer(self(x, on: tape), on: tape)
  }

  private var repeatsPixels: Bool { direction == .doubling && filter == .box }
}

/// A 3x3 convolution of stride 2, which halves the size of images, or one of images enlarged twofold.
struct ResizingConvolution {
  let convolution: Convolution
  let sizeChange: SizeChange

  init(
    _ direction: SizeChange.Direction, _ name: String, from inChannels: Int, to outChannels: Int,
    _ builder: inout BlockBuilder
  ) {
    convolution = Convolution(name, from: inChannels, to: outChannels, &builder)
    sizeChange = builder.sizeChange(direction)
  }

  func callAsFunction(_ x: Variable, on tape: Tape) -> Variable {
    let (kernel, bias) = (convolution.kernel, convolution.bias)
    switch (sizeChange.direction, sizeChange.filter) {
    case (.halving, .box): return tape.downsampling3x3(x, kernel: kernel, bias: bias)
    case (.halving, .binomial):
      return tape.downsampling3x3(tape.resampled(x, by: .smoothing), kernel: kernel, bias: bias, pads: false)
    case (.doubling, .box): return convolution(x, enlargesInput: true, on: tape)
    case (.doubling, .binomial):
      return tape.resampled(convolution(tape.resampled(x, by: .doublingWithRim), on: tape), by: .withoutRim)
    }
  }
}
