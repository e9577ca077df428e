import Glibc

extension Reference {
  /// softmax(q·kᵀ / √d)·v of one image's heads of d = channels / heads channels each, with their results concatenated
  /// (Vaswani et al., arXiv:1706.03762, section 3.2).
  ///
  /// q, k, v and the result are [tokens, channels].
  package static func attention<Scalar: BinaryFloatingPoint>(
    q: [Scalar], k: [Scalar], v: [Scalar], tokens: Int, channels: Int, heads: Int = 1
  ) -> [Scalar] {
    joined(
      (0..<heads).map { head in
        let (q, k, v) = (part(q, head, heads, channels), part(k, head, heads, channels), part(v, head, heads, channels))
        return headAttention(q: q, k: k, v: v, tokens: tokens, channels: channels / heads)
      }, channels: channels)
  }

  private static func headAttention<Scalar: BinaryFloatingPoint>(
    q: [Scalar], k: [Scalar], v: [Scalar], tokens: Int, channels: Int
  ) -> [Scalar] {
    let weights = attentionWeights(doubles(q), doubles(k), tokens, channels)
    return rounded(matrixProduct(weights, doubles(v), rows: tokens, inner: tokens, columns: channels))
  }

  /// Gradients of a loss with respect to `attention`'s arguments, given dy = ∂loss/∂result.
  package static func attentionBackward<Scalar: BinaryFloatingPoint>(
    q: [Scalar], k: [Scalar], v: [Scalar], dy: [Scalar], tokens: Int, channels: Int, heads: Int = 1
  ) -> (dq: [Scalar], dk: [Scalar], dv: [Scalar]) {
    let parts = (0..<heads).map { head in
      headAttentionBackward(
        q: part(q, head, heads, channels), k: part(k, head, heads, channels), v: part(v, head, heads, channels),
        dy: part(dy, head, heads, channels), tokens: tokens, channels: channels / heads)
    }
    return (
      joined(parts.map(\.dq), channels: channels), joined(parts.map(\.dk), channels: channels),
      joined(parts.map(\.dv), channels: channels)
    )
  }

  private static func headAttentionBackward<Scalar: BinaryFloatingPoint>(
    q: [Scalar], k: [Scalar], v: [Scalar], dy: [Scalar], tokens: Int, channels: Int
  ) -> (dq: [Scalar], dk: [Scalar], dv: [Scalar]) {
    let (queries, keys, values, gradient) = (doubles(q), doubles(k), doubles(v), doubles(dy))
    let weights = attentionWeights(queries, keys, tokens, channels)
    let dv = matrixProduct(weights, gradient, rows: tokens, inner: tokens, columns: channels, transposeA: true)
    let dWeights = matrixProduct(gradient, values, rows: tokens, inner: channels, columns: tokens, transposeB: true)
    let scale = 1 / Double(channels).squareRoot()
    let dScores = softmaxBackward(probabilities: weights, dy: dWeights, rows: tokens, columns: tokens, scale: scale)
    let dq = matrixProduct(dScores, keys, rows: tokens, inner: tokens, columns: channels)
    let dk = matrixProduct(dScores, queries, rows: tokens, inner: tokens, columns: channels, transposeA: true)
    return (rounded(dq), rounded(dk), rounded(dv))
  }

  /// Softmax of scale·scores over each row of [rows, columns].
  package static func softmax<Scalar: BinaryFloatingPoint>(
    scores: [Scalar], rows: Int, columns: Int, scale: Double
  ) -> [Scalar] {
    var result: [Double] = []
    for row in 0..<rows {
      let scaled = scores[row * columns..<(row + 1) * columns].map { Double($0) * scale }
      let largest = scaled.max() ?? 0
      let exponentials = scaled.map { exp($0 - largest) }
      let sum = exponentials.reduce(0, +)
      result += exponentials.map { $0 / sum }
    }
    return rounded(result)
  }

  /// The gradient with respect to `softmax`'s scores, given the probabilities and dy = ∂loss/∂probabilities.
  package static func softmaxBackward<Scalar: BinaryFloatingPoint>(
    probabilities: [Scalar], dy: [Scalar], rows: Int, columns: Int, scale: Double
  ) -> [Scalar] {
    let (weights, gradient) = (doubles(probabilities), doubles(dy))
    var result = [Double](repeating: 0, count: rows * columns)
    for row in 0..<rows {
      let range = row * columns..<(row + 1) * columns
      let mean = range.reduce(0) { $0 + weights[$1] * gradient[$1] }
      for index in range { result[index] = scale * weights[index] * (gradient[index] - mean) }
    }
    return rounded(result)
  }

  /// The channels of one head.
  private static func part<Scalar>(_ values: [Scalar], _ head: Int, _ heads: Int, _ channels: Int) -> [Scalar] {
    let width = channels / heads
    return values.indices.filter { $0 % channels / width == head }.map { values[$0] }
  }

  /// The inverse: the channels of all heads side by side.
  private static func joined<Scalar>(_ heads: [[Scalar]], channels: Int) -> [Scalar] {
    let width = channels / heads.count
    return (0..<heads[0].count * heads.count).map { index in
      let (token, channel) = index.quotientAndRemainder(dividingBy: channels)
      return heads[channel / width][token * width + channel % width]
    }
  }

  private static func attentionWeights(
    _ queries: [Double], _ keys: [Double], _ tokens: Int, _ channels: Int
  ) -> [Double] {
    let scores = matrixProduct(queries, keys, rows: tokens, inner: channels, columns: tokens, transposeB: true)
    return softmax(scores: scores, rows: tokens, columns: tokens, scale: 1 / Double(channels).squareRoot())
  }
}
