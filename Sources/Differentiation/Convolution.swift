import Kernels
import Tensors

extension Tape {
  /// Stride-1 3x3 convolution with a border of one zero: y = x ∗ kernel + bias + perImage + residual.
  ///
  /// - Parameters:
  ///   - x: [N, H, W, in].
  ///   - kernel: [3, 3, in, out].
  ///   - bias: [out].
  ///   - perImage: [N, out], added to every pixel of its image.
  ///   - residual: [N, H, W, out].
  public func convolution3x3(
    _ x: Variable, kernel: ParameterEntry, bias: ParameterEntry, perImage: Variable? = nil, residual: Variable? = nil
  ) -> Variable {
    let shape = x.value.shape
    let (inChannels, outChannels) = (kernel.shape[2], kernel.shape[3])
    precondition(shape.count == 4 && shape[3] == inChannels, "\(kernel.name) cannot be applied to \(shape)")
    precondition(perImage.map { $0.value.shape == [shape[0], outChannels] } ?? true)
    let geometry = Winograd.Geometry(
      images: shape[0], height: shape[1], width: shape[2], inChannels: inChannels, outChannels: outChannels)
    let y = Tensor(uninitialised: [shape[0], shape[1], shape[2], outChannels])
    precondition(residual.map { $0.value.shape == y.shape } ?? true)

    let transformed = transformedKernel(kernel)
    Winograd.convolve(
      x: x.value.pointer, transformedKernel: transformed.pointer, y: y.pointer, geometry: geometry,
      bias: pointer(bias), perImage: perImage?.value.pointer, residual: residual?.value.pointer, workers: workers)
    withExtendedLifetime(transformed) {}

    return record(y, inputs: [x, perImage, residual], parameters: [kernel, bias]) { [unowned self] dy, isShared in
      if let gradients {
        Winograd.accumulateKernelGradient(
          x: x.value.pointer, dy: dy.pointer, dKernel: gradients.pointer(to: kernel), geometry: geometry,
          workers: workers)
        Rows.sumOfRows(
          dy.pointer, rows: dy.count / outChannels, channels: outChannels,
          accumulatingInto: gradients.pointer(to: bias), workers: workers)
      }
      if let perImage, perImage.needsGradient {
        let sums = Tensor(uninitialised: perImage.value.shape)
        Rows.sumOverPixels(
          dy.pointer, into: sums.pointer, images: shape[0], pixels: shape[1] * shape[2], channels: outChannels,
          workers: workers)
        perImage.addGradient(sums, workers: workers)
      }
      x.addGradient { dx, addend in
        let adjoint = FloatBuffer(
          count: Winograd.transformedKernelCount(inChannels: outChannels, outChannels: inChannels))
        Winograd.transformKernelForInputGradient(
          pointer(kernel), inChannels: inChannels, outChannels: outChannels, into: adjoint.pointer, workers: workers)
        Winograd.convolve(
          x: dy.pointer, transformedKernel: adjoint.pointer, y: dx.pointer,
          geometry: Winograd.Geometry(
            images: shape[0], height: shape[1], width: shape[2], inChannels: outChannels, outChannels: inChannels),
          residual: addend?.pointer, workers: workers)
        withExtendedLifetime(adjoint) {}
      }
      residual?.addGradient(dy, isShared: isShared, workers: workers)
    }
  }

  private func transformedKernel(_ kernel: ParameterEntry) -> FloatBuffer {
    let (inChannels, outChannels) = (kernel.shape[2], kernel.shape[3])
    func transform() -> FloatBuffer {
      let buffer = FloatBuffer(
        count: Winograd.transformedKernelCount(inChannels: inChannels, outChannels: outChannels))
      Winograd.transformKernel(
        pointer(kernel), inChannels: inChannels, outChannels: outChannels, into: buffer.pointer, workers: workers)
      return buffer
    }
    return kernels?.buffer(for: kernel, make: transform) ?? transform()
  }

  /// Stride-2 3x3 convolution padded by one zero at the right and the bottom only, as the original DDPM downsamples.
  ///
  /// - Parameters:
  ///   - x: [N, H, W, in], H and W even.
  ///   - kernel: [3, 3, in, out].
  /// - Returns: [N, H/2, W/2, out].
  public func downsampling3x3(_ x: Variable, kernel: ParameterEntry, bias: ParameterEntry) -> Variable {
    let shape = x.value.shape
    let (inChannels, outChannels) = (kernel.shape[2], kernel.shape[3])
    precondition(shape.count == 4 && shape[3] == inChannels, "\(kernel.name) cannot be applied to \(shape)")
    let geometry = PatchGeometry(
      images: shape[0], height: shape[1], width: shape[2], channels: inChannels, kernelHeight: 3, kernelWidth: 3,
      stride: 2, padTop: 0, padLeft: 0, padBottom: 1, padRight: 1)
    let depth = geometry.patchLength
    let y = Tensor(uninitialised: [shape[0], geometry.outputHeight, geometry.outputWidth, outChannels])

    func columns() -> Tensor {
      let columns = Tensor(uninitialised: [geometry.patchCount, depth])
      ImageToColumns.columns(of: x.value.pointer, into: columns.pointer, geometry: geometry, workers: workers)
      return columns
    }
    multiplyPerImage(
      columns(), matrix: pointer(kernel), bias: pointer(bias), addend: nil, into: y, images: shape[0], depth: depth)

    return record(y, inputs: [x], parameters: [kernel, bias]) { [unowned self] dy, _ in
      accumulateMatrixGradient(
        wantsParameterGradients ? columns() : dy, dy: dy, matrix: kernel, bias: bias, depth: depth,
        outChannels: outChannels)
      guard x.needsGradient else { return }
      let dColumns = Tensor(uninitialised: [geometry.patchCount, depth])
      multiplyPerImageTransposed(
        dy, matrix: pointer(kernel), addend: nil, into: dColumns, images: shape[0], depth: depth)
      let dx = Tensor(uninitialised: shape)
      ImageToColumns.addColumns(dColumns.pointer, into: dx.pointer, geometry: geometry, workers: workers)
      x.addGradient(dx, workers: workers)
    }
  }
}
