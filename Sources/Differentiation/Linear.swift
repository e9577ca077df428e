import Kernels
import Tensors

extension Tape {
  /// 1x1 convolution, or the same linear map at every token or row: y = scale·(x·matrix + bias + residual).
  ///
  /// - Parameters:
  ///   - x: [N, …, in], in parts that are joined along the channels.
  ///   - matrix: [in, out], or [1, 1, in, out].
  ///   - bias: [out].
  ///   - residual: [N, …, out].
  package func pointwise(
    _ x: [Variable], matrix: ParameterEntry, bias: ParameterEntry, residual: Variable? = nil, scale: Float = 1
  ) -> Variable {
    let (depth, outChannels) = (matrix.shape[matrix.shape.count - 2], matrix.shape[matrix.shape.count - 1])
    let shape = joinedShape(x)
    precondition(shape.last == depth, "\(matrix.name) cannot be applied to \(shape)")
    let rows = shape.dropLast().reduce(1, *)
    let y = Tensor(uninitialised: shape.dropLast() + [outChannels])
    precondition(residual.map { $0.shape == y.shape } ?? true)
    makeResult(
      .linearForward,
      MatrixProduct.work(rows: rows, columns: outChannels, depth: depth, addend: residual?.value.count ?? 0)
    ) {
      multiply(
        x.map { Matrix($0.value) }, Matrix(values(matrix)), into: y, bias: values(bias),
        addend: (residual?.value).map(Matrix.init))
      multiply(y, by: scale)
    }

    let (inputs, dResidual) = (x.map(\.saved), residual?.gradient)
    let slots = x.map { (channels: $0.value.channels, slot: $0.gradient) }
    return record(y, inputs: x + [residual], parameters: [matrix, bias]) { [unowned self] gradient, isShared in
      let (dy, isShared) = multiple(of: gradient, isShared: isShared, by: scale)
      if wantsParameterGradients {
        // The result is added to the existing values.
        profiler.measure(
          .linearMatrixGradient,
          MatrixProduct.work(rows: depth, columns: outChannels, depth: rows, addend: depth * outChannels)
        ) {
          accumulateMatrixGradient(inputs.map(\.tensor), dy: dy, matrix: matrix)
        }
        accumulateBiasGradient(dy, bias: bias)
      }
      var first = 0
      for (channels, slot) in slots {
        slot.add { dx, addend in
          profiler.measure(
            .linearInputGradient,
            MatrixProduct.work(rows: rows, columns: channels, depth: outChannels, addend: addend?.count ?? 0)
          ) {
            multiply(
              [Matrix(dy)], Matrix(values(matrix)).rows(first..<first + channels).transposed, into: dx,
              addend: addend.map(Matrix.init))
          }
        }
        first += channels
      }
      dResidual?.add(dy, isShared: isShared, on: self)
    }
  }

  /// dMatrix += xᵀ·dy, with x as [rows, depth] in parts, dy as [rows, outputs].
  func accumulateMatrixGradient(_ x: [Tensor], dy: Tensor, matrix: ParameterEntry) {
    guard let gradients else { return }
    // The whole sum is computed first and added once: see `Tape.gradients`.
    let sum = Tensor(uninitialised: matrix.shape)
    var first = 0
    for part in x {
      multiply(
        [Matrix(part).transposed], Matrix(dy), into: Matrix(sum).rows(first..<first + part.channels),
        isRounded: roundsOperands(ofShape: dy.shape))
      first += part.channels
    }
    Elementwise.add(sum, into: gradients.tensor(matrix), workers: workers)
  }

  /// C = A·B + bias + addend, with A in parts whose columns are joined.
  func multiply(
    _ a: [Matrix], _ b: Matrix, into c: Tensor, bias: Tensor? = nil, addend: Matrix? = nil
  ) {
    multiply(a, b, into: Matrix(c), isRounded: roundsOperands(ofShape: c.shape), bias: bias, addend: addend)
  }

  private func multiply(
    _ a: [Matrix], _ b: Matrix, into c: Matrix, isRounded: Bool, bias: Tensor? = nil, addend: Matrix? = nil
  ) {
    if isRounded {
      RoundedProduct().multiply(a, b, into: c, bias: bias, addend: addend, workers: workers)
    } else {
      MatrixProduct.multiply(a, b, into: c, bias: bias, addend: addend, workers: workers)
    }
  }

  /// Whether the operands of a linear map, and of its gradients, are rounded like those of convolutions. Those with one
  /// row per image, such as embeddings, are not: they are small, and all pixels depend on them.
  private func roundsOperands(ofShape shape: [Int]) -> Bool {
    arithmetic.convolutionMethod == .rounded && shape.count > 2
  }

  /// dBias += Σ dy over all rows.
  func accumulateBiasGradient(_ dy: Tensor, bias: ParameterEntry) {
    guard let gradients else { return }
    profiler.measure(.biasGradient, Work(floats: dy.count)) {
      Rows.sumOfRows(dy, accumulatingInto: gradients.tensor(bias), workers: workers)
    }
  }
}
