import Kernels
import Tensors

extension Tape {
  /// 1x1 convolution, or the same linear map at every token: y = x·matrix + bias + residual.
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
    precondition(x.value.shape.last == depth, "\(matrix.name) cannot be applied to \(x.value.shape)")
    let images = x.value.shape[0]
    let y = Tensor(uninitialised: x.value.shape.dropLast() + [outChannels])
    precondition(residual.map { $0.value.shape == y.shape } ?? true)
    multiplyPerImage(
      x.value, matrix: pointer(matrix), bias: pointer(bias), addend: residual?.value, into: y, images: images,
      depth: depth)

    return record(y, inputs: [x, residual], parameters: [matrix, bias]) { [unowned self] dy, isShared in
      accumulateMatrixGradient(
        x.value, dy: dy, matrix: matrix, bias: bias, depth: depth, outChannels: outChannels)
      x.addGradient { dx, addend in
        multiplyPerImageTransposed(
          dy, matrix: pointer(matrix), addend: addend, into: dx, images: images, depth: depth)
      }
      residual?.addGradient(dy, isShared: isShared, workers: workers)
    }
  }

  /// Linear map of a few rows, such as an embedding per image: y = x·matrix + bias.
  ///
  /// - Parameters:
  ///   - x: [N, in].
  ///   - matrix: [in, out].
  public func linear(_ x: Variable, matrix: ParameterEntry, bias: ParameterEntry) -> Variable {
    let (rows, depth, columns) = (x.value.shape[0], matrix.shape[0], matrix.shape[1])
    precondition(x.value.shape == [rows, depth], "\(matrix.name) cannot be applied to \(x.value.shape)")
    let y = Tensor(uninitialised: [rows, columns])
    MatrixProduct.multiplyRows(
      x.value.pointer, pointer(matrix), into: y.pointer, rows: rows, columns: columns, depth: depth, workers: workers)
    Rows.addBias(pointer(bias), to: y.pointer, rows: rows, channels: columns, workers: workers)

    return record(y, inputs: [x], parameters: [matrix, bias]) { [unowned self] dy, _ in
      accumulateMatrixGradient(x.value, dy: dy, matrix: matrix, bias: bias, depth: depth, outChannels: columns)
      x.addGradient { dx, addend in
        multiplyPerImageTransposed(dy, matrix: pointer(matrix), addend: addend, into: dx, images: 1, depth: depth)
      }
    }
  }

  // One product per image: a BLAS chooses its kernels by shape, and an image's result must not depend on how many
  // others are in the batch.

  /// y = x·matrix + bias + addend, x seen as [images, rows, depth].
  func multiplyPerImage(
    _ x: Tensor, matrix: UnsafePointer<Float>, bias: UnsafePointer<Float>, addend: Tensor?, into y: Tensor,
    images: Int, depth: Int
  ) {
    let columns = y.shape.last!
    let rows = y.count / columns / images
    workers.forEach(images) { image in
      let target = y.pointer + image * rows * columns
      if let addend { target.update(from: addend.pointer + image * rows * columns, count: rows * columns) }
      MatrixProduct.multiply(
        x.pointer + image * rows * depth, matrix, into: target, rows: rows, columns: columns, depth: depth,
        beta: addend == nil ? 0 : 1)
    }
    Rows.addBias(bias, to: y.pointer, rows: images * rows, channels: columns, workers: workers)
  }

  /// dx = dy·matrixᵀ + addend, dx seen as [images, rows, depth].
  func multiplyPerImageTransposed(
    _ dy: Tensor, matrix: UnsafePointer<Float>, addend: Tensor?, into dx: Tensor, images: Int, depth: Int
  ) {
    let columns = dy.shape.last!
    let rows = dy.count / columns / images
    workers.forEach(images) { image in
      let target = dx.pointer + image * rows * depth
      if let addend, addend.pointer != dx.pointer {
        target.update(from: addend.pointer + image * rows * depth, count: rows * depth)
      }
      MatrixProduct.multiply(
        dy.pointer + image * rows * columns, matrix, into: target, rows: rows, columns: depth, depth: columns,
        transposingB: true, beta: addend == nil ? 0 : 1)
    }
  }

  /// dMatrix += xᵀ·dy and dBias += Σ dy, in blocks of the matrix's rows that do not depend on the thread count.
  func accumulateMatrixGradient(
    _ x: Tensor, dy: Tensor, matrix: ParameterEntry, bias: ParameterEntry, depth: Int, outChannels: Int
  ) {
    guard let gradients else { return }
    let rows = dy.count / outChannels
    workers.forEachRange(depth, grain: 128) { range in
      MatrixProduct.multiply(
        x.pointer + range.lowerBound, dy.pointer,
        into: gradients.pointer(to: matrix) + range.lowerBound * outChannels, rows: range.count, columns: outChannels,
        depth: rows, transposingA: true, aStride: depth, beta: 1)
    }
    Rows.sumOfRows(
      dy.pointer, rows: rows, channels: outChannels, accumulatingInto: gradients.pointer(to: bias), workers: workers)
  }
}
