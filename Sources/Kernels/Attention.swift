import Tensors

/// Single-head scaled dot-product attention (Vaswani et al., arXiv:1706.03762, equation 1) of each image's tokens:
/// y = softmax(q·kᵀ/√C)·v.
///
/// Queries are taken in blocks, so that only a block's probabilities exist at a time; the backward pass makes them
/// again. Memory grows with the number of tokens, not with its square.
public enum Attention {
  /// Shape of query, key, value and result: [images, tokens, channels].
  public struct Geometry: Sendable, Equatable {
    public let images: Int
    public let tokens: Int
    public let channels: Int

    public init(images: Int, tokens: Int, channels: Int) {
      self.images = images
      self.tokens = tokens
      self.channels = channels
    }

    /// What query·key is multiplied by: 1/√C.
    var scale: Float { 1 / Float(channels).squareRoot() }

    var imageCount: Int { tokens * channels }

    /// Queries whose probabilities are computed together: these stay in the second-level cache.
    var blockTokens: Int { max(32, min(tokens, (1 << 16) / tokens)) }
    var blocks: Int { (tokens + blockTokens - 1) / blockTokens }
    func block(_ index: Int) -> Range<Int> { index * blockTokens..<min(tokens, (index + 1) * blockTokens) }
  }

  /// y = softmax(q·kᵀ/√C)·v; overwrites y. An image's result does not depend on the other images.
  public static func forward(
    query: UnsafePointer<Float>, key: UnsafePointer<Float>, value: UnsafePointer<Float>,
    y: UnsafeMutablePointer<Float>, geometry: Geometry, workers: WorkerPool
  ) {
    let (tokens, channels) = (geometry.tokens, geometry.channels)
    workers.forEach(geometry.images * geometry.blocks) { item in
      let (image, index) = item.quotientAndRemainder(dividingBy: geometry.blocks)
      let block = geometry.block(index)
      let start = image * geometry.imageCount
      let first = start + block.lowerBound * channels
      withScratch(block.count * tokens) { probabilities in
        computeProbabilities(query + first, key + start, rows: block.count, geometry, into: probabilities)
        MatrixProduct.multiply(
          MatrixView(probabilities, rowStride: tokens), MatrixView(value + start, rowStride: channels),
          into: y + first, rows: block.count, columns: channels, depth: tokens, workers: .callingThread)
      }
    }
  }

  /// The gradients of `forward`, given dy = ∂loss/∂y. Overwrites dQuery, dKey and dValue.
  ///
  /// With P the probabilities: dV = Pᵀ·dy, dP = dy·vᵀ, dS = P∘(dP − rowsum(P∘dP))/√C, dQ = dS·k, dK = dSᵀ·q; dV and dK
  /// are summed over the blocks in order.
  public static func backward(
    query: UnsafePointer<Float>, key: UnsafePointer<Float>, value: UnsafePointer<Float>, dy: UnsafePointer<Float>,
    dQuery: UnsafeMutablePointer<Float>, dKey: UnsafeMutablePointer<Float>, dValue: UnsafeMutablePointer<Float>,
    geometry: Geometry, workers: WorkerPool
  ) {
    let (tokens, channels) = (geometry.tokens, geometry.channels)
    workers.forEach(geometry.images) { image in
      let start = image * geometry.imageCount
      withScratch(2 * geometry.blockTokens * tokens) { scratch in
        let (probabilities, dScores) = (scratch, scratch + geometry.blockTokens * tokens)
        for index in 0..<geometry.blocks {
          let block = geometry.block(index)
          let rows = block.count
          let first = start + block.lowerBound * channels
          let isFirst = index == 0
          computeProbabilities(query + first, key + start, rows: rows, geometry, into: probabilities)
          MatrixProduct.multiply(
            MatrixView(probabilities, rowStride: tokens).transposed, MatrixView(dy + first, rowStride: channels),
            into: dValue + start, rows: tokens, columns: channels, depth: rows, addend: isFirst ? nil : dValue + start,
            workers: .callingThread)
          MatrixProduct.multiply(
            MatrixView(dy + first, rowStride: channels), MatrixView(value + start, rowStride: channels).transposed,
            into: dScores, rows: rows, columns: tokens, depth: channels, workers: .callingThread)
          Softmax.backwardRows(
            probabilities: probabilities, dProbabilities: dScores, rows: rows, columns: tokens, scale: geometry.scale)
          MatrixProduct.multiply(
            MatrixView(dScores, rowStride: tokens), MatrixView(key + start, rowStride: channels), into: dQuery + first,
            rows: rows, columns: channels, depth: tokens, workers: .callingThread)
          MatrixProduct.multiply(
            MatrixView(dScores, rowStride: tokens).transposed, MatrixView(query + first, rowStride: channels),
            into: dKey + start, rows: tokens, columns: channels, depth: rows, addend: isFirst ? nil : dKey + start,
            workers: .callingThread)
        }
      }
    }
  }

  /// softmax(q·kᵀ/√C) of some queries: [rows, tokens].
  private static func computeProbabilities(
    _ query: UnsafePointer<Float>, _ key: UnsafePointer<Float>, rows: Int, _ geometry: Geometry,
    into probabilities: UnsafeMutablePointer<Float>
  ) {
    let (tokens, channels) = (geometry.tokens, geometry.channels)
    MatrixProduct.multiply(
      MatrixView(query, rowStride: channels), MatrixView(key, rowStride: channels).transposed, into: probabilities,
      rows: rows, columns: tokens, depth: channels, workers: .callingThread)
    Softmax.forwardRows(probabilities, rows: rows, columns: tokens, scale: geometry.scale)
  }
}
