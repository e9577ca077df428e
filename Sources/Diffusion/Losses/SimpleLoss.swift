import Tensors

/// L_simple: the mean over all elements of (ε̂ − ε)² (Ho et al. 2020, equation 14 and algorithm 1).
public enum SimpleLoss {
  /// A micro-batch's part of the global batch's mean squared error, and its gradient. Parts add up to the mean.
  /// - Parameters:
  ///   - prediction: ε̂, [N, H, W, C].
  ///   - noise: ε, shaped like `prediction`.
  ///   - elementsInGlobalBatch: images of the whole batch times elements of one.
  /// - Returns: Σ (ε̂ − ε)² / elementsInGlobalBatch, added up in a fixed order in double precision, and
  ///   2 (ε̂ − ε) / elementsInGlobalBatch, shaped like `prediction`.
  public static func lossAndGradient(
    prediction: Tensor, noise: Tensor, elementsInGlobalBatch: Int
  ) -> (loss: Double, gradient: Tensor) {
    precondition(prediction.shape == noise.shape, "shapes \(prediction.shape) and \(noise.shape) differ")
    precondition(elementsInGlobalBatch >= prediction.count, "a micro-batch is part of the global batch")
    let gradient = Tensor(uninitialised: prediction.shape)
    let scale = 1 / Double(elementsInGlobalBatch)
    var sum = 0.0
    for index in 0..<prediction.count {
      let difference = Double(prediction.pointer[index]) - Double(noise.pointer[index])
      sum += difference * difference
      gradient.pointer[index] = Float(2 * difference * scale)
    }
    return (sum * scale, gradient)
  }
}
