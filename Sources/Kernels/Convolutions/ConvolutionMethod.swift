import Tensors

/// How stride-1 3x3 convolutions and their gradients are computed. The results differ in their last bits, or by the
/// rounding of the operands.
package enum ConvolutionMethod: String, CaseIterable, Sendable {
  /// `Winograd`: fast.
  case winograd
  /// `DirectConvolution`: for comparison.
  case direct
  /// `RoundedConvolution`: with operands rounded to bfloat16, for processors with fast products of them.
  case rounded = "bfloat16"

  private var algorithm: any ConvolutionAlgorithm.Type {
    switch self {
    case .winograd: Winograd.self
    case .direct: DirectConvolution.self
    case .rounded: RoundedConvolution.self
    }
  }

  /// y = enlarged(x) ∗ kernel + bias + perImage + residual, where x is enlarged if y's sides are twice as long.
  ///
  /// - Parameters:
  ///   - x: [N, H, W, in].
  ///   - kernel: [3, 3, in, out].
  ///   - y: [N, H, W, out] or [N, 2H, 2W, out]; overwritten.
  ///   - periodicity: the axes along which x is periodic; the border of the others is zero.
  ///   - bias: [out], added everywhere.
  ///   - perImage: [N, out], added to every pixel of its image.
  ///   - residual: like y.
  package func convolve(
    _ x: Tensor, kernel: Tensor, into y: Tensor, periodicity: Periodicity = .none, bias: Tensor? = nil,
    perImage: Tensor? = nil, residual: Tensor? = nil, workers: WorkerPool
  ) {
    let geometry = Winograd.Geometry(from: x.shape, to: y.shape, periodicity: periodicity)
    geometry.check(kernel: kernel)
    verify(bias.map { $0.count == geometry.outChannels } ?? true, "one bias per output channel")
    verify(perImage.map { $0.shape == [geometry.images, geometry.outChannels] } ?? true, "one row per image")
    verify(residual.map { $0.shape == y.shape } ?? true, "the residual must have the result's shape")
    algorithm.convolve(
      x: x.pointer, kernel: kernel.pointer, y: y.pointer, geometry: geometry, bias: bias?.pointer,
      perImage: perImage?.pointer, residual: residual?.pointer, workers: workers)
    withExtendedLifetime((bias, perImage, residual)) {}
  }

  /// The gradient of `convolve` with respect to x: dx = addend + its adjoint applied to dy.
  ///
  /// - Parameters:
  ///   - dy: like y.
  ///   - dx: like x; overwritten.
  ///   - addend: like x; may be dx.
  package func propagateGradient(
    _ dy: Tensor, kernel: Tensor, into dx: Tensor, periodicity: Periodicity = .none, addend: Tensor? = nil,
    workers: WorkerPool
  ) {
    let geometry = Winograd.Geometry(from: dx.shape, to: dy.shape, periodicity: periodicity)
    geometry.check(kernel: kernel)
    verify(addend.map { $0.shape == dx.shape } ?? true, "the addend must have the result's shape")
    algorithm.propagateGradient(
      dy: dy.pointer, kernel: kernel.pointer, dx: dx.pointer, geometry: geometry, addend: addend?.pointer,
      workers: workers)
    withExtendedLifetime(addend) {}
  }

  /// The gradient of `convolve` with respect to the kernel: dKernel += Σ over images and pixels of x ⊗ dy. The sum is
  /// complete before it is added to dKernel.
  ///
  /// - Parameter imageSums: receives the sums of dy over each image's pixels, [N, out], from which the gradients of
  ///   `bias` and `perImage` are computed.
  package func accumulateKernelGradient(
    _ x: Tensor, dy: Tensor, into dKernel: Tensor, imageSums: Tensor, periodicity: Periodicity = .none,
    workers: WorkerPool
  ) {
    let geometry = Winograd.Geometry(from: x.shape, to: dy.shape, periodicity: periodicity)
    geometry.check(kernel: dKernel)
    verify(imageSums.shape == [geometry.images, geometry.outChannels], "one row per image")
    algorithm.accumulateKernelGradient(
      x: x.pointer, dy: dy.pointer, dKernel: dKernel.pointer, imageSums: imageSums.pointer, geometry: geometry,
      workers: workers)
  }

  /// The work of this method for a convolution whose work with `Winograd` is `work`.
  package func counted(_ work: Work) -> Work {
    var work = work
    if self != .winograd { work.arithmetic = work.directArithmetic }
    return work
  }
}

/// The loops of a method. The operands are those of the method's functions of the same names, with the shapes of
/// `geometry`.
protocol ConvolutionAlgorithm {
  static func convolve(
    x: UnsafePointer<Float>, kernel: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, geometry: Winograd.Geometry,
    bias: UnsafePointer<Float>?, perImage: UnsafePointer<Float>?, residual: UnsafePointer<Float>?, workers: WorkerPool)

  static func propagateGradient(
    dy: UnsafePointer<Float>, kernel: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
    geometry: Winograd.Geometry, addend: UnsafePointer<Float>?, workers: WorkerPool)

  static func accumulateKernelGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dKernel: UnsafeMutablePointer<Float>,
    imageSums: UnsafeMutablePointer<Float>, geometry: Winograd.Geometry, workers: WorkerPool)
}

extension Winograd.Geometry {
  /// The geometry of a convolution of x [N, H, W, in] to y [N, H, W, out], or [N, 2H, 2W, out] if x is enlarged first.
  package init(from x: [Int], to y: [Int], periodicity: Periodicity = .none) {
    verify(x.count == 4 && y.count == 4 && x[0] == y[0], "images are [N, H, W, C], not \(x) and \(y)")
    let enlarges = y[1] == 2 * x[1] && y[2] == 2 * x[2] && y[1] > 0
    verify(enlarges || (y[1] == x[1] && y[2] == x[2]), "\(x) and \(y) are not input and output of a convolution")
    self.init(
      images: y[0], height: y[1], width: y[2], inChannels: x[3], outChannels: y[3], enlargesInput: enlarges,
      periodicity: periodicity)
  }

  fileprivate func check(kernel: Tensor) {
    verify(kernel.count == 9 * inChannels * outChannels, "the kernel must be [3, 3, \(inChannels), \(outChannels)]")
  }
}
