import RealModule
import Tensors

/// The loss of classifiers, −log p(class | x_t).
package enum CrossEntropy {
  /// log p of each image and class.
  /// - Parameter logits: [N, K].
  package static func logProbabilities(_ logits: Tensor) -> [[Double]] {
    let classCount = logits.shape[1]
    return (0..<logits.shape[0]).map { image in
      let values = (0..<classCount).map { Double(logits[image * classCount + $0]) }
      let maximum = values.max() ?? 0
      let logarithm = maximum + .log(values.reduce(0) { $0 + .exp($1 - maximum) })
      return values.map { $0 - logarithm }
    }
  }

  /// A micro-batch's contribution to the mean loss of the global batch, and its gradient with respect to the logits.
  /// - Parameters:
  ///   - logits: [N, K].
  ///   - classes: N numbers below K.
  ///   - weights: the weight of each image's loss, which corrects for times that were not drawn uniformly, N values.
  ///   - imagesInGlobalBatch: the number of images in the whole batch.
  package static func lossAndGradient(
    logits: Tensor, classes: [Int], weights: [Double], imagesInGlobalBatch: Int
  ) -> PartialLoss {
    let factors = weights.map { $0 / Double(imagesInGlobalBatch) }
    let losses = zip(logProbabilities(logits), classes).map { -$0[$1] }
    return PartialLoss(
      loss: zip(losses, factors).reduce(0) { $0 + $1.0 * $1.1 },
      gradient: logProbabilityGradient(logits: logits, classes: classes, factors: factors.map { -$0 }),
      imageLosses: losses)
  }

  /// The gradient of f·log p(class) of each image with respect to the logits: f·([j = class] − p(j)).
  /// - Parameter factors: f of each image; 1 by default.
  package static func logProbabilityGradient(logits: Tensor, classes: [Int], factors: [Double]? = nil) -> Tensor {
    let gradient = Tensor(uninitialised: logits.shape)
    for (image, logarithms) in logProbabilities(logits).enumerated() {
      let factor = factors?[image] ?? 1
      for (index, logarithm) in logarithms.enumerated() {
        let one: Double = index == classes[image] ? 1 : 0
        gradient[image * logarithms.count + index] = Float(factor * (one - .exp(logarithm)))
      }
    }
    return gradient
  }
}
