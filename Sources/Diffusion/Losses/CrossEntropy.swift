import Glibc
import Tensors

/// The loss of classifiers, −log p(class | x_t).
public enum CrossEntropy {
  /// log p of each image and class.
  /// - Parameter logits: [N, K].
  public static func logProbabilities(_ logits: Tensor) -> [[Double]] {
    let classCount = logits.shape[1]
    return (0..<logits.shape[0]).map { image in
      let values = (0..<classCount).map { Double(logits.pointer[image * classCount + $0]) }
      let most = values.max() ?? 0
      let logarithm = most + log(values.reduce(0) { $0 + exp($1 - most) })
      return values.map { $0 - logarithm }
    }
  }

  /// A micro-batch's part of the global batch's mean loss, with its gradient with respect to the logits.
  /// - Parameters:
  ///   - logits: [N, K].
  ///   - classes: N numbers below K.
  ///   - imagesInGlobalBatch: of the whole batch.
  public static func lossAndGradient(logits: Tensor, classes: [Int], imagesInGlobalBatch: Int) -> PartialLoss {
    let share = 1 / Double(imagesInGlobalBatch)
    let losses = zip(logProbabilities(logits), classes).map { -$0[$1] }
    return PartialLoss(
      loss: losses.reduce(0) { $0 + $1 * share },
      gradient: logProbabilityGradient(logits: logits, classes: classes, scale: -share), imageLosses: losses)
  }

  /// The gradient of scale·log p(class) of each image with respect to the logits: scale·([j = class] − p(j)).
  public static func logProbabilityGradient(logits: Tensor, classes: [Int], scale: Double = 1) -> Tensor {
    let gradient = Tensor(uninitialised: logits.shape)
    for (image, logarithms) in logProbabilities(logits).enumerated() {
      for (index, logarithm) in logarithms.enumerated() {
        let one: Double = index == classes[image] ? 1 : 0
        gradient.pointer[image * logarithms.count + index] = Float(scale * (one - exp(logarithm)))
      }
    }
    return gradient
  }
}
