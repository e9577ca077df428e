import Differentiation
import Kernels
import Tensors

/// Makes images half or twice as large on each side.
struct SizeChange: Equatable {
  enum Direction { case halving, doubling }

  let direction: Direction
  let filter: Resampling.Filter

  /// x of the other size.
  func callAsFunction(_ x: Variable, on tape: Tape) -> Variable {
    tape.resampled(x, by: direction == .halving ? .halving(filter) : .doubling(filter))
  }

  /// The 3x3 convolution of x of the other size.
  func convolving(_ x: Variable, _ convolution: Convolution, perImage: Variable?, on tape: Tape) -> Variable {
    if repeatsPixels { return convolution.enlarging(x, perImage: perImage, on: tape) }
    return convolution(self(x, on: tape), perImage: perImage, on: tape)
  }

  /// The linear map of the pixels of x of the other size. Pixels that are repeated are mapped once.
  func mapping(_ x: Variable, _ layer: LinearLayer, on tape: Tape) -> Variable {
    repeatsPixels ? self(layer(x, on: tape), on: tape) : layer(self(x, on: tape), on: tape)
  }

  private var repeatsPixels: Bool { direction == .doubling && filter == .box }
}

/// A 3x3 convolution that makes images half as large: of stride 2, of the smoothed image if a filter says so.
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

/// A 3x3 convolution of images made twice as large.
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
