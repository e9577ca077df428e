import Differentiation
import Kernels

/// Halves or doubles the height and width of images.
struct SizeChange: Equatable {
  enum Direction { case halving, doubling }

  let direction: Direction
  let filter: Resampling.Filter
  let periodicity: Periodicity

  /// x resized.
  func callAsFunction(_ x: Variable, on tape: Tape) -> Variable {
    tape.resampled(x, by: direction == .halving ? .halving(filter) : .doubling(filter), periodicity: periodicity)
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
    let (kernel, bias, periodicity) = (convolution.kernel, convolution.bias, convolution.periodicity)
    switch (sizeChange.direction, sizeChange.filter) {
    case (.halving, .box): return tape.downsampling3x3(x, kernel: kernel, bias: bias, periodicity: periodicity)
    case (.halving, .binomial):
      // The smoothed image includes the pixels that would be padded.
      let smooth = tape.resampled(x, by: .smoothing, periodicity: periodicity)
      return tape.downsampling3x3(smooth, kernel: kernel, bias: bias, pads: false)
    case (.doubling, .box): return convolution(x, enlargesInput: true, on: tape)
    case (.doubling, .binomial):
      let enlarged = tape.resampled(x, by: .doublingWithRim, periodicity: periodicity)
      return tape.resampled(convolution(enlarged, on: tape), by: .withoutRim)
    }
  }
}
