import Configuration
import Diffusion

/// The class condition of a model for existing images.
package enum ClassCondition: Sendable, Equatable {
  /// Each image's own class.
  case own
  /// The same class for all images; nil for none.
  case same(Int?)

  /// - Throws: `DiffusionError` for a class that the model does not have, or for no class if the model was always
  ///   conditioned on one.
  func check(_ configuration: RunConfiguration) throws(DiffusionError) {
    guard case .same(let number) = self else { return }
    _ = try DrawConditions(classes: [number], configuration: configuration)
  }

  /// The guidance for images with these labels.
  func guidance(_ configuration: RunConfiguration, labels: [Int?]) -> Guidance {
    guard configuration.model.classes != nil else { return .none }
    switch self {
    case .own: return .conditional(Conditions(classes: labels))
    case .same(let number): return .conditional(Conditions(classes: labels.map { _ in number }))
    }
  }
}
