import Configuration
import Diffusion

/// What a model with classes is told of images that are there already.
public enum ClassCondition: Sendable, Equatable {
  /// Each image's own class.
  case own
  /// The same for all; nil for none.
  case same(Int?)

  /// - Throws: `DiffusionError` for a class that the model does not have, or does not know to do without.
  func check(_ configuration: RunConfiguration) throws(DiffusionError) {
    guard case .same(let number) = self else { return }
    _ = try ClassConditions(classes: [number], configuration: configuration)
  }

  /// For images with these labels.
  func guidance(_ configuration: RunConfiguration, labels: [Int?]) -> Guidance {
    guard configuration.model.classes != nil else { return .none }
    switch self {
    case .own: return .conditional(labels)
    case .same(let number): return .conditional(labels.map { _ in number })
    }
  }
}
