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
    if repeatsPixels { return convolution.enlarging(x, perImage: perImage, on: tape) }
    return convolution(self(x, on: tape), perImage: perImage, on: tape)
  }

  /// The linear map of the pixels of the resized x. Repeated pixels are mapped only once.
  func mapping(_ x: Variable, _ layer: LinearLayer, on tape: Tape) -> Variable {
    repeatsPixels ? self(layer(x, on: tape), on: tape) : layer(self(x, on: tape), on: tape)
  }

  private var repeatsPixels: Bool { direction == .doubling && filter == .box }
}

/// A 3x3 convolution of stride 2, which halves the size of images; with a filter, the image is smoothed first.
struct HalvingConvolution {
  let convolution: Convolution
  let filter: Resampling.Filter

  func callAsFunction(_ x: Variable, on tape: Tape) -> Variable {
    let (kernel, bias) = (convolution.kernel, convolution.bias)
    switch filter {
    case .box: return tape.downsampling3x3(x, kernel: kernel, bias: bias)
    case .binomial:
      return tape.downsampling3x3(tape.resampled(x, by: .smoothing), kernel: kernel, bias: bias, pads: false)
    }
  }
}

/// A 3x3 convolution of images enlarged twofold.
struct DoublingConvolution {
  let convolution: Convolution
  let filter: Resampling.Filter

  func callAsFunction(_ x: Variable, on tape: Tape) -> Variable {
    switch filter {
    case .box: return convolution.enlarging(x, on: tape)
    case .binomial:
      return tape.resampled(convolution(tape.resampled(x, by: .doublingWithRim), on: tape), by: .withoutRim)
    }
  }
}
