import Diffusion
import Kernels

extension RunConfiguration {
  /// What measurement operators need to know of the model's images: a blur continues them as the network does where they
  /// are periodic.
  /// - Parameter imageShape: [H, W, C].
  package func operatorContext(imageShape: [Int]) -> OperatorSettings.Context {
    var context = OperatorSettings.Context(imageShape: imageShape)
    if model.periodicity.includesHeight { context.vertical = .periodic }
    if model.periodicity.includesWidth { context.horizontal = .periodic }
    return context
  }
}
