import Tensors

extension Winograd.Geometry {
  /// The geometry of a convolution of x [N, H, W, in] to y [N, H, W, out], or [N, 2H, 2W, out] if x is enlarged first.
  public init(from x: [Int], to y: [Int]) {
    verify(x.count == 4 && y.count == 4 && x[0] == y[0], "images are [N, H, W, C], not \(x) and \(y)")
    let enlarges = y[1] == 2 * x[1] && y[2] == 2 * x[2] && y[1] > 0
    verify(enlarges || (y[1] == x[1] && y[2] == x[2]), "\(x) and \(y) are not input and output of a convolution")
    self.init(
      images: y[0], height: y[1], width: y[2], inChannels: x[3], outChannels: y[3], enlargesInput: enlarges)
  }

  fileprivate func check(kernel: Tensor) {
    verify(kernel.count == 9 * inChannels * outChannels, "the kernel must be [3, 3, \(inChannels), \(outChannels)]")
  }
}

extension ConvolutionMethod {
  /// y = enlarged(x) ∗ kernel + bias + perImage + residual, where x is enlarged if y's sides are twice as long.
  ///
  /// - Parameters:
  ///   - x: [N, H, W, in].
  ///   - kernel: [3, 3, in, out].
  ///   - y: [N, H, W, out] or [N, 2H, 2W, out]; overwritten.
  ///   - bias: [out], added everywhere.
  ///   - perImage: [N, out], added to every pixel of its image.
  ///   - residual: like y.
  public func convolve(
    _ x: Tensor, kernel: Tensor, into y: Tensor, bias: Tensor? = nil, perImage: Tensor? = nil,
    residual: Tensor? = nil, workers: WorkerPool
  ) {
    let geometry = Winograd.Geometry(from: x.shape, to: y.shape)
    geometry.check(kernel: kernel)
    verify(bias.map { $0.count == geometry.outChannels } ?? true, "one bias per output channel")
    verify(perImage.map { $0.shape == [geometry.images, geometry.outChannels] } ?? true, "one row per image")
    verify(residual.map { $0.shape == y.shape } ?? true, "the residual must have the result's shape")
    convolve(
      x: x.pointer, kernel: kernel.pointer, y: y.pointer, geometry: geometry,
      bias: bias.map { UnsafePointer($0.pointer) }, perImage: perImage.map { UnsafePointer($0.pointer) },
      residual: residual.map { UnsafePointer($0.pointer) }, workers: workers)
    withExtendedLifetime((bias, perImage, residual)) {}
  }

  /// The gradient of `convolve` with respect to x: dx = addend + its adjoint applied to dy.
  ///
  /// - Parameters:
  ///   - dy: like y.
  ///   - dx: like x; overwritten.
  ///   - addend: like x; may be dx.
  public func propagateGradient(
    _ dy: Tensor, kernel: Tensor, into dx: Tensor, addend: Tensor? = nil, workers: WorkerPool
  ) {
    let geometry = Winograd.Geometry(from: dx.shape, to: dy.shape)
    geometry.check(kernel: kernel)
    verify(addend.map { $0.shape == dx.shape } ?? true, "the addend must have the result's shape")
    propagateGradient(
      dy: dy.pointer, kernel: kernel.pointer, dx: dx.pointer, geometry: geometry,
      addend: addend.map { UnsafePointer($0.pointer) }, workers: workers)
    withExtendedLifetime(addend) {}
  }

  /// The gradient of `convolve` with respect to the kernel: dKernel += Σ over images and pixels of x ⊗ dy. The sum is
  /// complete before it is added to dKernel.
  ///
  /// - Parameter imageSums: receives the sums of dy over each image's pixels, [N, out], from which the gradients of
  ///   `bias` and `perImage` are computed.
  public func accumulateKernelGradient(
    _ x: Tensor, dy: Tensor, into dKernel: Tensor, imageSums: Tensor, workers: WorkerPool
  ) {
    let geometry = Winograd.Geometry(from: x.shape, to: dy.shape)
    geometry.check(kernel: dKernel)
    verify(imageSums.shape == [geometry.images, geometry.outChannels], "one row per image")
    accumulateKernelGradient(
      x: x.pointer, dy: dy.pointer, dKernel: dKernel.pointer, imageSums: imageSums.pointer, geometry: geometry,
      workers: workers)
  }
}

extension ImageToColumns {
  /// Each row of `columns` [patchCount, patchLength] is the input under the kernel at one position, in the order of an
  /// HWIO kernel's rows, with zeros outside the image; overwrites.
  ///
  /// - Parameter x: [images, height, width, channels] of the geometry.
  public static func columns(of x: Tensor, into columns: Tensor, geometry: PatchGeometry, workers: WorkerPool) {
    check(x, columns, geometry)
    self.columns(of: x.pointer, into: columns.pointer, geometry: geometry, workers: workers)
  }

  /// The adjoint of `columns(of:)`: each element of dx is the sum of those of `columns` that were copied from there;
  /// overwrites.
  public static func addColumns(_ columns: Tensor, into dx: Tensor, geometry: PatchGeometry, workers: WorkerPool) {
    check(dx, columns, geometry)
    addColumns(columns.pointer, into: dx.pointer, geometry: geometry, workers: workers)
  }

  private static func check(_ x: Tensor, _ columns: Tensor, _ geometry: PatchGeometry) {
    verify(x.count == geometry.inputCount, "\(x.shape) is not the geometry's input")
    verify(columns.count == geometry.patchCount * geometry.patchLength, "one row per patch")
  }
}

extension Resampling {
  /// y = the image filtered by `vertical` along its height and by `horizontal` along its width, plus `addend`.
  ///
  /// - Parameters:
  ///   - x: [N, vertical.inputs, horizontal.inputs, C].
  ///   - y: [N, vertical.outputs, horizontal.outputs, C]; overwritten.
  ///   - addend: like y, and may be y; nil for none.
  public static func apply(
    vertical: AxisFilter, horizontal: AxisFilter, to x: Tensor, into y: Tensor, addend: Tensor? = nil,
    workers: WorkerPool
  ) {
    verify(x.shape.count == 4, "images are [N, H, W, C], not \(x.shape)")
    let (images, channels) = (x.shape[0], x.shape[3])
    verify(x.shape == [images, vertical.inputs, horizontal.inputs, channels], "x does not fit the filters")
    verify(y.shape == [images, vertical.outputs, horizontal.outputs, channels], "y does not fit the filters")
    verify(addend.map { $0.shape == y.shape } ?? true, "the addend must have the result's shape")
    apply(
      vertical: vertical, horizontal: horizontal, x: x.pointer, y: y.pointer, images: images, channels: channels,
      addend: addend.map { UnsafePointer($0.pointer) }, workers: workers)
    withExtendedLifetime(addend) {}
  }
}
