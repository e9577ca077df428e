import Kernels
import Tensors

extension Tape {
  /// Single-head scaled dot-product attention over the pixels of each image: softmax(q·kᵀ/√C)·v.
  ///
  /// - Parameters: query, key, value: [N, …, C], the dimensions between being tokens.
  /// - Returns: [N, …, C].
  public func attention(query: Variable, key: Variable, value: Variable) -> Variable {
    let shape = query.value.shape
    precondition(shape == key.value.shape && shape == value.value.shape)
    let (images, channels) = (shape[0], shape[shape.count - 1])
    let tokens = query.value.count / images / channels
    let scale = 1 / Float(channels).squareRoot()
    let y = Tensor(uninitialised: shape)
    let probabilities = Tensor(uninitialised: [images, tokens, tokens])
    let (perImage, perMatrix) = (tokens * channels, tokens * tokens)
    workers.forEach(images) { image in
      let (offset, p) = (image * perImage, probabilities.pointer + image * perMatrix)
      MatrixProduct.multiply(
        query.value.pointer + offset, key.value.pointer + offset, into: p, rows: tokens, columns: tokens,
        depth: channels, transposingB: true)
      Softmax.forwardRows(p, rows: tokens, columns: tokens, scale: scale)
      MatrixProduct.multiply(
        p, value.value.pointer + offset, into: y.pointer + offset, rows: tokens, columns: channels, depth: tokens)
    }

    return record(y, inputs: [query, key, value]) { [unowned self] dy, _ in
      let dQuery = Tensor(uninitialised: shape)
      let dKey = Tensor(uninitialised: shape)
      let dValue = Tensor(uninitialised: shape)
      workers.forEach(images) { image in
        let (offset, p) = (image * perImage, probabilities.pointer + image * perMatrix)
        let scratch = FloatBuffer(count: perMatrix)
        let dScores = scratch.pointer
        MatrixProduct.multiply(
          p, dy.pointer + offset, into: dValue.pointer + offset, rows: tokens, columns: channels, depth: tokens,
          transposingA: true)
        MatrixProduct.multiply(
          dy.pointer + offset, value.value.pointer + offset, into: dScores, rows: tokens, columns: tokens,
          depth: channels, transposingB: true)
        Softmax.backwardRows(probabilities: p, dProbabilities: dScores, rows: tokens, columns: tokens, scale: scale)
        MatrixProduct.multiply(
          dScores, key.value.pointer + offset, into: dQuery.pointer + offset, rows: tokens, columns: channels,
          depth: tokens)
        MatrixProduct.multiply(
          dScores, query.value.pointer + offset, into: dKey.pointer + offset, rows: tokens, columns: channels,
          depth: tokens, transposingA: true)
        withExtendedLifetime(scratch) {}
      }
      query.addGradient(dQuery, workers: workers)
      key.addGradient(dKey, workers: workers)
      value.addGradient(dValue, workers: workers)
    }
  }
}
