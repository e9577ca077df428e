import MicroKernels
import Tensors

/// Multi-head scaled dot-product attention (Vaswani et al., arXiv:1706.03762, section 3.2) of each image's tokens:
/// every head computes y = softmax(q·kᵀ/√d)·v over its own d channels.
///
/// Queries are processed in blocks, so that only one block's probabilities exist at a time; the backward pass
/// recomputes them. Memory grows with the number of tokens, not with its square.
package enum Attention {
  /// Shape of query, key, value and result: [images, …, channels], where the dimensions in between are tokens.
  package struct Geometry: Sendable, Equatable {
    package let images: Int
    package let tokens: Int
    /// Of all heads together: each head has channels / heads consecutive channels.
    package let channels: Int
    package let heads: Int

    package init(_ shape: [Int], heads: Int = 1) {
      verify(shape.count >= 2, "\(shape) must have images and channels")
      images = shape[0]
      tokens = shape.dropFirst().dropLast().reduce(1, *)
      channels = shape[shape.count - 1]
      self.heads = heads
      verify(heads > 0 && channels.isMultiple(of: heads), "\(shape.last!) channels do not form \(heads) heads")
    }

    var headChannels: Int { channels / heads }

    /// The factor of query·key: 1/√d.
    var scale: Float { 1 / Float(headChannels).squareRoot() }

    /// The first channel of an image's head.
    func start(image: Int, head: Int) -> Int { image * tokens * channels + head * headChannels }

    /// The number of queries whose probabilities are computed together, so that these stay in the second-level cache.
    var blockTokens: Int { max(32, min(tokens, (1 << 16) / tokens)) }
    var blocks: Int { (tokens + blockTokens - 1) / blockTokens }
    func block(_ index: Int) -> Range<Int> { index * blockTokens..<min(tokens, (index + 1) * blockTokens) }
  }

  /// y = softmax(q·kᵀ/√d)·v of every head, all [N, …, C]; overwrites y. An image's result does not depend on the other
  /// images.
  package static func forward(
    query: Tensor, key: Tensor, value: Tensor, into y: Tensor, heads: Int, workers: WorkerPool
  ) {
    check(query, key, value, y)
    let geometry = Geometry(query.shape, heads: heads)
    let (query, key, value, y) = (query.pointer, key.pointer, value.pointer, y.pointer)
    let (tokens, channels) = (geometry.tokens, geometry.channels)
    workers.forEach(geometry.images * geometry.heads * geometry.blocks) { item in
      let (map, index) = item.quotientAndRemainder(dividingBy: geometry.blocks)
      let block = geometry.block(index)
      let start = geometry.start(image: map / geometry.heads, head: map % geometry.heads)
      let first = start + block.lowerBound * channels
      withScratch(block.count * tokens) { probabilities in
        computeProbabilities(query + first, key + start, rows: block.count, geometry, into: probabilities)
        MatrixProduct.multiply(
          MatrixPointer(probabilities, rowStride: tokens), MatrixPointer(value + start, rowStride: channels),
          into: y + first, cStride: channels, rows: block.count, columns: geometry.headChannels, depth: tokens,
          workers: .callingThread)
      }
    }
  }

  /// Computes the gradients of `forward`, given dy = ∂loss/∂y. Overwrites dQuery, dKey and dValue.
  ///
  /// With P the probabilities of a head: dV = Pᵀ·dy, dP = dy·vᵀ, dS = P∘(dP − rowsum(P∘dP))/√d, dQ = dS·k, dK = dSᵀ·q;
  /// dV and dK are summed over the blocks in order.
  package static func backward(
    query: Tensor, key: Tensor, value: Tensor, dy: Tensor, dQuery: Tensor, dKey: Tensor, dValue: Tensor, heads: Int,
    workers: WorkerPool
  ) {
    check(query, key, value, dy, dQuery, dKey, dValue)
    let geometry = Geometry(query.shape, heads: heads)
    let (query, key, value, dy) = (query.pointer, key.pointer, value.pointer, dy.pointer)
    let (dQuery, dKey, dValue) = (dQuery.pointer, dKey.pointer, dValue.pointer)
    let (tokens, channels, width) = (geometry.tokens, geometry.channels, geometry.headChannels)
    workers.forEach(geometry.images * geometry.heads) { map in
      let start = geometry.start(image: map / geometry.heads, head: map % geometry.heads)
      withScratch(2 * geometry.blockTokens * tokens) { scratch in
        let (probabilities, dScores) = (scratch, scratch + geometry.blockTokens * tokens)
        for index in 0..<geometry.blocks {
          let block = geometry.block(index)
          let rows = block.count
          let first = start + block.lowerBound * channels
          let isFirst = index == 0
          computeProbabilities(query + first, key + start, rows: rows, geometry, into: probabilities)
          MatrixProduct.multiply(
            MatrixPointer(probabilities, rowStride: tokens).transposed, MatrixPointer(dy + first, rowStride: channels),
            into: dValue + start, cStride: channels, rows: tokens, columns: width, depth: rows,
            addend: isFirst ? nil : dValue + start, workers: .callingThread)
          MatrixProduct.multiply(
            MatrixPointer(dy + first, rowStride: channels),
            MatrixPointer(value + start, rowStride: channels).transposed,
            into: dScores, rows: rows, columns: tokens, depth: width, workers: .callingThread)
          Softmax.backwardRows(
            probabilities: probabilities, dProbabilities: dScores, rows: rows, columns: tokens, scale: geometry.scale)
          MatrixProduct.multiply(
            MatrixPointer(dScores, rowStride: tokens), MatrixPointer(key + start, rowStride: channels),
            into: dQuery + first, cStride: channels, rows: rows, columns: width, depth: tokens,
            workers: .callingThread)
          MatrixProduct.multiply(
            MatrixPointer(dScores, rowStride: tokens).transposed, MatrixPointer(query + first, rowStride: channels),
            into: dKey + start, cStride: channels, rows: tokens, columns: width, depth: rows,
            addend: isFirst ? nil : dKey + start, workers: .callingThread)
        }
      }
    }
  }

  private static func check(_ operands: Tensor...) {
    verify(operands.allSatisfy { $0.shape == operands[0].shape }, "operands must have the same shape")
  }

  /// softmax(q·kᵀ/√d) for some queries of a head: [rows, tokens].
  private static func computeProbabilities(
    _ query: UnsafePointer<Float>, _ key: UnsafePointer<Float>, rows: Int, _ geometry: Geometry,
    into probabilities: UnsafeMutablePointer<Float>
  ) {
    let (tokens, channels) = (geometry.tokens, geometry.channels)
    MatrixProduct.multiply(
      MatrixPointer(query, rowStride: channels), MatrixPointer(key, rowStride: channels).transposed,
      into: probabilities, rows: rows, columns: tokens, depth: geometry.headChannels, workers: .callingThread)
    Softmax.forwardRows(probabilities, rows: rows, columns: tokens, scale: geometry.scale)
  }
}
