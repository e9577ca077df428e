import Glibc

extension Reference {
  /// softmax(q·kᵀ / √channels)·v of one head of one image (Vaswani et al., arXiv:1706.03762, equation 1).
  ///
  /// q, k, v and the result are [tokens, channels].
  public static func attention<Scalar: BinaryFloatingPoint>(
    q: [Scalar], k: [Scalar], v: [Scalar], tokens: Int, channels: Int
  ) -> [Scalar] {
    let weights = attentionWeights(doubles(q), doubles(k), tokens, channels)
    return rounded(matrixProduct(weights, doubles(v), rows: tokens, inner: tokens, columns: channels))
  }

  /// Gradients of a loss with respect to `attention`'s arguments, given dy = ∂loss/∂result.
  public static func attentionBackward<Scalar: BinaryFloatingPoint>(
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
  public static func softmax<Scalar: BinaryFloatingPoint>(
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
  public static func softmaxBackward<Scalar: BinaryFloatingPoint>(
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

  private static func attentionWeights(
    _ queries: [Double], _ keys: [Double], _ tokens: Int, _ channels: Int
  ) -> [Double] {
    let scores = matrixProduct(queries, keys, rows: tokens, inner: channels, columns: tokens, transposeB: true)
    return softmax(scores: scores, rows: tokens, columns: tokens, scale: 1 / Double(channels).squareRoot())
  }
}
