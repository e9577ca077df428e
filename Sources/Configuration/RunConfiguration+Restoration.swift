import Diffusion
import Kernels

extension RunConfiguration {
  /// What measurement operators need to know of the model's images: a blur continues them as the network does where they
  /// are periodic.
  /// - Parameter imageShape: [H, W, C].
  package func operatorSurroundings(imageShape: [Int]) -> OperatorSettings.Surroundings {
    var surroundings = OperatorSettings.Surroundings(imageShape: imageShape)
    if model.periodicity.includesHeight { surroundings.vertical = .periodic }
    if model.periodicity.includesWidth { surroundings.horizontal = .periodic }
    return surroundings
  }
}
