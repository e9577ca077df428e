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
    MatrixProduct.multiply(
      MatrixView(x.value.pointer, rowStride: depth), MatrixView(pointer(matrix), rowStride: outChannels),
      into: y.pointer, rows: rows, columns: outChannels, depth: depth, bias: pointer(bias),
      addend: residual?.value.pointer, workers: workers)

    let (input, dx, dResidual) = (x.saved, x.gradient, residual?.gradient)
    return record(y, inputs: [x, residual], parameters: [matrix, bias]) { [unowned self] dy, isShared in
      if wantsParameterGradients {
        accumulateMatrixGradient(
          input.tensor, dy: dy, matrix: matrix, bias: bias, depth: depth, outChannels: outChannels)
      }
      dx.add { dx, addend in
        MatrixProduct.multiply(
          MatrixView(dy.pointer, rowStride: outChannels),
          MatrixView(pointer(matrix), rowStride: outChannels).transposed, into: dx.pointer, rows: rows, columns: depth,
          depth: outChannels, addend: addend?.pointer, workers: workers)
      }
      dResidual?.add(dy, isShared: isShared, workers: workers)
    }
  }

  /// dMatrix += xᵀ·dy and dBias += Σ dy, x seen as [rows, depth] and dy as [rows, outChannels].
  func accumulateMatrixGradient(
    _ x: Tensor, dy: Tensor, matrix: ParameterEntry, bias: ParameterEntry, depth: Int, outChannels: Int
  ) {
    guard let gradients else { return }
    let rows = dy.count / outChannels
    // The whole sum is made first and added once: see `Tape.gradients`.
    let sum = FloatBuffer(count: depth * outChannels)
    MatrixProduct.multiply(
      MatrixView(x.pointer, rowStride: depth).transposed, MatrixView(dy.pointer, rowStride: outChannels),
      into: sum.pointer, rows: depth, columns: outChannels, depth: rows, workers: workers)
    Elementwise.add(sum.pointer, into: gradients.pointer(to: matrix), count: sum.count, workers: workers)
    withExtendedLifetime(sum) {}
    Rows.sumOfRows(
      dy.pointer, rows: rows, channels: outChannels, accumulatingInto: gradients.pointer(to: bias), workers: workers)
  }
}
