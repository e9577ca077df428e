import Kernels
import Tensors

extension Tape {
  /// 1x1 convolution, or the same linear map at every token or row: y = x·matrix + bias + residual.
  ///
  /// - Parameters:
  ///   - x: [N, …, in].
  ///   - matrix: [in, out], or [1, 1, in, out].
  ///   - bias: [out].
  ///   - residual: [N, …, out].
  public func pointwise(
    _ x: Variable, matrix: ParameterEntry, bias: ParameterEntry, residual: Variable? = nil
  ) -> Variable {
    let (depth, outChannels) = (matrix.shape[matrix.shape.count - 2], matrix.shape[matrix.shape.count - 1])
    let shape = x.shape
    precondition(shape.last == depth, "\(matrix.name) cannot be applied to \(shape)")
    let rows = shape.dropLast().reduce(1, *)
    let y = Tensor(uninitialised: shape.dropLast() + [outChannels])
    precondition(residual.map { $0.shape == y.shape } ?? true)
    makeResult(
      .linearForward,
      MatrixProduct.work(rows: rows, columns: outChannels, depth: depth, addend: residual?.value.count ?? 0)
    ) {
      MatrixProduct.multiply(
        MatrixView(x.value.pointer, rowStride: depth), MatrixView(pointer(matrix), rowStride: outChannels),
        into: y.pointer, rows: rows, columns: outChannels, depth: depth, bias: pointer(bias),
        addend: residual?.value.pointer, workers: workers)
    }

    let (input, dx, dResidual) = (x.saved, x.gradient, residual?.gradient)
    return record(y, inputs: [x, residual], parameters: [matrix, bias]) { [unowned self] dy, isShared in
      if wantsParameterGradients {
        // The sum is added to what is there.
        profiler.measure(
          .linearMatrixGradient,
          MatrixProduct.work(rows: depth, columns: outChannels, depth: rows, addend: depth * outChannels)
        ) {
          accumulateMatrixGradient(input.tensor, dy: dy, matrix: matrix, depth: depth)
        }
        accumulateBiasGradient(dy, bias: bias)
      }
      dx.add { dx, addend in
        profiler.measure(
          .linearInputGradient,
          MatrixProduct.work(rows: rows, columns: depth, depth: outChannels, addend: addend?.count ?? 0)
        ) {
          MatrixProduct.multiply(
            MatrixView(dy.pointer, rowStride: outChannels),
            MatrixView(pointer(matrix), rowStride: outChannels).transposed, into: dx.pointer, rows: rows,
            columns: depth, depth: outChannels, addend: addend?.pointer, workers: workers)
        }
      }
      dResidual?.add(dy, isShared: isShared, on: self)
    }
  }

  /// dMatrix += xᵀ·dy, x seen as [rows, depth] and dy as [rows, outputs].
  func accumulateMatrixGradient(_ x: Tensor, dy: Tensor, matrix: ParameterEntry, depth: Int) {
    guard let gradients else { return }
    let rows = x.count / depth
    let outChannels = dy.count / rows
    // The whole sum is made first and added once: see `Tape.gradients`.
    let sum = FloatBuffer(count: depth * outChannels)
    MatrixProduct.multiply(
      MatrixView(x.pointer, rowStride: depth).transposed, MatrixView(dy.pointer, rowStride: outChannels),
      into: sum.pointer, rows: depth, columns: outChannels, depth: rows, workers: workers)
    Elementwise.add(sum.pointer, into: gradients.pointer(to: matrix), count: sum.count, workers: workers)
    withExtendedLifetime(sum) {}
  }

  /// dBias += Σ dy over all rows.
  func accumulateBiasGradient(_ dy: Tensor, bias: ParameterEntry) {
    guard let gradients else { return }
    profiler.measure(.biasGradient, Work(floats: dy.count)) {
      Rows.sumOfRows(
        dy.pointer, rows: dy.count / bias.count, channels: bias.count, accumulatingInto: gradients.pointer(to: bias),
        workers: workers)
    }
  }
}
