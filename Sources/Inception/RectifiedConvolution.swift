import Kernels
import Tensors

/// A convolution without bias, batch normalisation with fixed statistics, and max(·, 0): Inception's only kind of layer
/// with parameters (torchvision's `BasicConv2d`).
///
/// The normalisation (x − mean)·scale/√(variance + ε) + offset is folded into the kernel and a bias.
struct RectifiedConvolution: InceptionLayer {
  private let shape: FixedConvolution.Shape
  private let method: Method

  private enum Method {
    case direct(FixedConvolution)
    /// For padded kernels of one row or one column, with fewer multiplications.
    case lines(LineConvolution)
    /// For 3x3 kernels of stride 1, with fewer multiplications.
    case winograd(kernel: FloatBuffer, bias: FloatBuffer)
  }

  /// ε of the batch normalisation.
  static let epsilon = 0.001

  /// - Parameters:
  ///   - name: the prefix of its tensors' names.
  ///   - kernel: height and width.
  ///   - isPadded: whether the input is padded so that the result is as large (stride 1); otherwise only windows inside
  ///     it are used.
  ///   - weights: see `InceptionNetwork.init`.
  init(
    _ name: String, from inChannels: Int, to outChannels: Int, kernel: (height: Int, width: Int), stride: Int,
    isPadded: Bool, weights: InceptionWeights
  ) throws {
    shape = FixedConvolution.Shape(
      inChannels: inChannels, outChannels: outChannels, kernelHeight: kernel.height, kernelWidth: kernel.width,
      stride: stride, padHeight: isPadded ? kernel.height / 2 : 0, padWidth: isPadded ? kernel.width / 2 : 0)
    let filters = try weights("\(name).conv.weight", [outChannels, inChannels, kernel.height, kernel.width])
    let scale = try weights("\(name).bn.weight", [outChannels])
    let offset = try weights("\(name).bn.bias", [outChannels])
    let mean = try weights("\(name).bn.running_mean", [outChannels])
    let variance = try weights("\(name).bn.running_var", [outChannels])

    let factors = (0..<outChannels).map { Double(scale[$0]) / (Double(variance[$0]) + Self.epsilon).squareRoot() }
    let bias = (0..<outChannels).map { Float(Double(offset[$0]) - Double(mean[$0]) * factors[$0]) }
    // From [out, in, tap] to [tap, in, out].
    let taps = kernel.height * kernel.width
    var folded = [Float](repeating: 0, count: filters.count)
    for out in 0..<outChannels {
      for index in 0..<inChannels * taps {
        let (input, tap) = index.quotientAndRemainder(dividingBy: taps)
        folded[(tap * inChannels + input) * outChannels + out] =
          Float(Double(filters[out * inChannels * taps + index]) * factors[out])
      }
    }
    if kernel == (3, 3) && stride == 1 {
      method = .winograd(
        kernel: Tensor(folded, shape: [folded.count]).buffer, bias: Tensor(bias, shape: [outChannels]).buffer)
    } else if min(kernel.height, kernel.width) == 1, isPadded, stride == 1, LineConvolution.tapCounts.contains(taps) {
      method = .lines(
        LineConvolution(
          inChannels: inChannels, outChannels: outChannels, tapCount: taps,
          direction: kernel.height == 1 ? .alongRows : .alongColumns, kernel: folded, bias: bias))
    } else {
      method = .direct(FixedConvolution(shape, kernel: folded, bias: bias, rectifies: true))
    }
  }

  func outputShape(of input: MapShape) -> MapShape {
    let geometry = shape.geometry(images: 1, height: input.height, width: input.width)
    return MapShape(height: geometry.outputHeight, width: geometry.outputWidth, channels: shape.outChannels)
  }

  func callAsFunction(_ x: ImageView, into y: ImageView, workers: WorkerPool) {
    switch method {
    case .direct(let convolution):
      convolution(x, into: y, workers: workers)
    case .lines(let convolution):
      convolution(x, into: y, workers: workers)
    case .winograd(let kernel, let bias):
      Winograd.convolveRectified(x, kernel: kernel, bias: bias, pad: shape.padHeight, into: y, workers: workers)
    }
  }
}
