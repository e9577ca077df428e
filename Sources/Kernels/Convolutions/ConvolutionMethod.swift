import Tensors

/// How stride-1 3x3 convolutions and their gradients are computed. The results differ in their last bits only.
public enum ConvolutionMethod: String, CaseIterable, Sendable {
  /// `Winograd`: fast.
  case winograd
  /// `DirectConvolution`: for comparison.
  case direct

  /// y = enlarged(x) ∗ kernel + bias + perImage + residual; see `Winograd.convolve`.
  package func convolve(
    x: UnsafePointer<Float>, kernel: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, geometry: Winograd.Geometry,
    bias: UnsafePointer<Float>? = nil, perImage: UnsafePointer<Float>? = nil, residual: UnsafePointer<Float>? = nil,
    workers: WorkerPool
  ) {
    switch self {
    case .winograd:
      Winograd.convolve(
        x: x, kernel: kernel, y: y, geometry: geometry, bias: bias, perImage: perImage, residual: residual,
        workers: workers)
    case .direct:
      DirectConvolution.convolve(
        x: x, kernel: kernel, y: y, geometry: geometry, bias: bias, perImage: perImage, residual: residual,
        workers: workers)
    }
  }

  /// dx = addend + the adjoint of `convolve` applied to dy; see `Winograd.propagateGradient`.
  package func propagateGradient(
    dy: UnsafePointer<Float>, kernel: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
    geometry: Winograd.Geometry,
    addend: UnsafePointer<Float>? = nil, workers: WorkerPool
  ) {
    switch self {
    case .winograd:
      Winograd.propagateGradient(
        dy: dy, kernel: kernel, dx: dx, geometry: geometry, addend: addend, workers: workers)
    case .direct:
      DirectConvolution.propagateGradient(
        dy: dy, kernel: kernel, dx: dx, geometry: geometry, addend: addend, workers: workers)
    }
  }

  /// dKernel += Σ over images and pixels of x ⊗ dy, and imageSums = Σ over pixels of dy; see
  /// `Winograd.accumulateKernelGradient`.
  package func accumulateKernelGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dKernel: UnsafeMutablePointer<Float>,
    imageSums: UnsafeMutablePointer<Float>, geometry: Winograd.Geometry, workers: WorkerPool
  ) {
    switch self {
    case .winograd:
      Winograd.accumulateKernelGradient(
        x: x, dy: dy, dKernel: dKernel, imageSums: imageSums, geometry: geometry, workers: workers)
    case .direct:
      DirectConvolution.accumulateKernelGradient(
        x: x, dy: dy, dKernel: dKernel, imageSums: imageSums, geometry: geometry, workers: workers)
    }
  }

  /// The work of this method for a convolution whose work with `Winograd` is `work`.
  public func counted(_ work: Work) -> Work {
    var work = work
    if self == .direct { work.arithmetic = work.directArithmetic }
    return work
  }
}
