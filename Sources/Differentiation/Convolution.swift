import Kernels
import Tensors

extension Tape {
  /// Stride-1 3x3 convolution with a border of one pixel: y = scale·(x ∗ kernel + bias + perImage + residual), computed
  /// with `convolutionMethod`.
  ///
  /// - Parameters:
  ///   - x: [N, H, W, in].
  ///   - kernel: [3, 3, in, out].
  ///   - bias: [out].
  ///   - enlargesInput: whether x is first enlarged twofold by repeating its pixels, which costs less than two separate
  ///     operations; the result is then [N, 2H, 2W, out].
  ///   - periodicity: the axes along which x is periodic; the border of the others is zero.
  ///   - perImage: [N, out], added to every pixel of its image.
  ///   - residual: like the result.
  /// - Returns: [N, H, W, out].
  package func convolution3x3(
    _ x: Variable, kernel: ParameterEntry, bias: ParameterEntry, enlargesInput: Bool = false,
    periodicity: Periodicity = .none, perImage: Variable? = nil, residual: Variable? = nil, scale: Float = 1
  ) -> Variable {
    let shape = x.shape
    let (inChannels, outChannels) = (kernel.shape[2], kernel.shape[3])
    precondition(shape.count == 4 && shape[3] == inChannels, "\(kernel.name) cannot be applied to \(shape)")
    precondition(perImage.map { $0.shape == [shape[0], outChannels] } ?? true)
    let factor = enlargesInput ? 2 : 1
    let y = Tensor(uninitialised: [shape[0], factor * shape[1], factor * shape[2], outChannels])
    let geometry = Winograd.Geometry(from: shape, to: y.shape, periodicity: periodicity)
    precondition(residual.map { $0.shape == y.shape } ?? true)
    makeResult(
      enlargesInput ? .enlargingForward : .convolutionForward,
      convolutionMethod.counted(geometry.convolutionWork(addend: residual?.value.count ?? 0))
    ) {
      convolutionMethod.convolve(
        x.value, kernel: values(kernel), into: y, periodicity: periodicity, bias: values(bias),
        perImage: perImage?.value, residual: residual?.value, workers: workers)
      multiply(y, by: scale)
    }

    var input = Optional(x.saved)
    let dx = x.gradient
    let (dPerImage, dResidual) = (perImage?.gradient, residual?.gradient)
    return record(y, inputs: [x, perImage, residual], parameters: [kernel, bias]) { [unowned self] gradient, isShared in
      let (dy, isShared) = multiple(of: gradient, isShared: isShared, by: scale)
      if wantsParameterGradients || dPerImage?.isNeeded == true {
        // The kernel gradient also yields the sums of dy, from which the gradients of bias and perImage follow.
        let sums = Tensor(uninitialised: [shape[0], outChannels])
        let dKernel = gradients?.tensor(kernel) ?? Tensor(uninitialised: kernel.shape)
        profiler.measure(
          enlargesInput ? .enlargingKernelGradient : .convolutionKernelGradient,
          convolutionMethod.counted(geometry.kernelGradientWork)
        ) {
          convolutionMethod.accumulateKernelGradient(
            input!.tensor, dy: dy, into: dKernel, imageSums: sums, periodicity: periodicity, workers: workers)
        }
        accumulateBiasGradient(sums, bias: bias)
        dPerImage?.add(sums, on: self)
      }
      // A value that was recomputed takes as much memory as its gradient, and a step's peak is often here.
      input = nil
      dx.add { dx, addend in
        profiler.measure(
          enlargesInput ? .enlargingInputGradient : .convolutionInputGradient,
          convolutionMethod.counted(geometry.convolutionWork(addend: addend?.count ?? 0))
        ) {
          convolutionMethod.propagateGradient(
            dy, kernel: values(kernel), into: dx, periodicity: periodicity, addend: addend, workers: workers)
        }
      }
      dResidual?.add(dy, isShared: isShared, on: self)
    }
  }

  /// Stride-2 3x3 convolution padded by one pixel at the right and the bottom only, as in the original DDPM, or without
  /// padding.
  ///
  /// - Parameters:
  ///   - x: [N, H, W, in], H and W even; without padding [N, H + 1, W + 1, in].
  ///   - kernel: [3, 3, in, out].
  ///   - periodicity: the axes along which x is periodic; the padding of the others is zero.
  /// - Returns: [N, H/2, W/2, out].
  package func downsampling3x3(
    _ x: Variable, kernel: ParameterEntry, bias: ParameterEntry, pads: Bool = true, periodicity: Periodicity = .none
  ) -> Variable {
    let (shape, padding) = (x.shape, pads ? 1 : 0)
    let (inChannels, outChannels) = (kernel.shape[2], kernel.shape[3])
    precondition(shape.count == 4 && shape[3] == inChannels, "\(kernel.name) cannot be applied to \(shape)")
    let geometry = PatchGeometry(
      images: shape[0], height: shape[1], width: shape[2], channels: inChannels, kernelHeight: 3, kernelWidth: 3,
      stride: 2, padTop: 0, padLeft: 0, padBottom: padding, padRight: padding, periodicity: periodicity)
    let depth = geometry.patchLength
    let y = Tensor(uninitialised: [shape[0], geometry.outputHeight, geometry.outputWidth, outChannels])
    let work = Work(
      arithmetic: 2 * geometry.patchCount * depth * outChannels,
      floats: x.value.count + depth * outChannels + y.count)

    let workers = workers
    func columns(of x: Tensor) -> Tensor {
      let columns = Tensor(uninitialised: [geometry.patchCount, depth])
      ImageToColumns.columns(of: x, into: columns, geometry: geometry, workers: workers)
      return columns
    }
    profiler.measure(.stridedForward, work) {
      multiply([Matrix(columns(of: x.value))], Matrix(values(kernel)), into: y, bias: values(bias))
    }

    let (input, slot) = (x.saved, x.gradient)
    return record(y, inputs: [x], parameters: [kernel, bias]) { [unowned self] dy, _ in
      if wantsParameterGradients {
        profiler.measure(.stridedKernelGradient, work) {
          accumulateMatrixGradient([columns(of: input.tensor)], dy: dy, matrix: kernel)
        }
        accumulateBiasGradient(dy, bias: bias)
      }
      guard slot.isNeeded else { return }
      let dx = Tensor(uninitialised: shape)
      profiler.measure(.stridedInputGradient, work) {
        let dColumns = Tensor(uninitialised: [shape[0], geometry.outputHeight * geometry.outputWidth, depth])
        multiply([Matrix(dy)], Matrix(values(kernel)).transposed, into: dColumns)
        ImageToColumns.addColumns(dColumns, into: dx, geometry: geometry, workers: workers)
      }
      slot.add(dx, on: self)
    }
  }
}
