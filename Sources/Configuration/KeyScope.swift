import Diffusion

/// A key that is only used if another key has certain values.
package struct KeyScope: Sendable {
  package let key: String
  /// The key that decides whether `key` is used.
  package let decider: String
  /// The values of that key with which it is used, as text.
  let readers: String
  let isRead: @Sendable (RunConfiguration) -> Bool
  /// The present value of that key, as text.
  let decision: @Sendable (RunConfiguration) -> String

  /// Keys that are used if a property has one of some values.
  private static func keys<Value: ConfigurationValue>(
    _ keys: String..., areReadWith decider: String,
    _ property: @escaping @Sendable (RunConfiguration) -> Value, in values: [Value]
  ) -> [KeyScope] {
    let readers = values.map(\.node.text).listed(with: "and")
    return keys.map { key in
      KeyScope(
        key: key, decider: decider, readers: readers,
        isRead: { values.contains(property($0)) }, decision: { property($0).node.text })
    }
  }

  /// Keys that are used if a number is above 0.
  private static func keys<Number: ConfigurationValue & Numeric & Comparable>(
    _ keys: String..., areReadAboveZeroOf decider: String,
    _ property: @escaping @Sendable (RunConfiguration) -> Number
  ) -> [KeyScope] {
    keys.map { key in
      KeyScope(
        key: key, decider: decider, readers: "above 0", isRead: { property($0) > 0 },
        decision: { property($0).node.text })
    }
  }

  /// Keys that are used if a list is not empty.
  private static func keys(
    _ keys: String..., areReadWithEntriesOf decider: String,
    _ property: @escaping @Sendable (RunConfiguration) -> [String]
  ) -> [KeyScope] {
    keys.map { key in
      KeyScope(
        key: key, decider: decider, readers: "with an entry", isRead: { !property($0).isEmpty },
        decision: { property($0).node.text })
    }
  }

  private static let ofData: [KeyScope] =
    keys("data.background", "data.orientation", areReadWith: "data.name", \.data.name, in: ["folder"])
    + keys("data.channels", areReadWith: "data.name", \.data.name, in: ["folder", "gaussian-field"])
    + keys("data.normalisation", areReadWith: "data.name", \.data.name, in: ["hdf5", "gaussian-field"])
    + keys(
      "training.condition_dropout", "evaluation.members", areReadWithEntriesOf: "data.conditions", \.data.conditions)

  /// All such keys. Without this check, a key that is set but not used would be silently ignored.
  package static let all: [KeyScope] =
    ofData
    + keys(
      "diffusion.steps", "diffusion.rescale_times", "diffusion.time_sampling", "diffusion.variance", "sampling.spacing",
      areReadWith: "diffusion.process", \.diffusion.process,
      in: [.discreteVariancePreserving, .discreteVarianceExploding])
    + keys(
      "diffusion.schedule", "diffusion.beta_first", "diffusion.beta_last", "diffusion.zero_terminal_snr",
      areReadWith: "diffusion.process", \.diffusion.process, in: [.discreteVariancePreserving])
    + keys(
      "diffusion.beta_first", "diffusion.beta_last", areReadWith: "diffusion.schedule", \.diffusion.schedule,
      in: [.linear, .quadratic, .sigmoid])
    + keys(
      "diffusion.sigma_min", "diffusion.sigma_max", areReadWith: "diffusion.process", \.diffusion.process,
      in: [.discreteVarianceExploding, .varianceExploding, .edm])
    + keys(
      "diffusion.scale_input", "model.scale_by_sigma", areReadWith: "diffusion.process", \.diffusion.process,
      in: [.discreteVarianceExploding, .varianceExploding])
    + keys("diffusion.p_mean", "diffusion.p_std", areReadWith: "diffusion.loss", \.diffusion.loss, in: [.edm])
    + keys("diffusion.sigma_data", areReadWith: "diffusion.process", \.diffusion.process, in: [.edm])
    + keys(
      "diffusion.prediction", areReadWith: "diffusion.process", \.diffusion.process,
      in: RunConfiguration.DiffusionSettings.Process.allCases.filter { $0 != .edm })
    + keys("model.fourier_scale", areReadWith: "model.embedding", \.model.architecture.timeFeatures, in: [.fourier])
    + keys(
      "model.progressive_combine", areReadWith: "model.progressive_input", \.model.architecture.progressiveInput,
      in: [.inputSkip])
    + SamplerOption.allCases.flatMap { option in
      keys(
        "sampling.\(option.rawValue)", areReadWith: "sampling.sampler", \.samplerName,
        in: SamplerName.allCases.filter { $0.options.contains(option) })
    }
    + keys(
      "sampling.churn_min", "sampling.churn_max", "sampling.churn_noise", areReadAboveZeroOf: "sampling.churn",
      \.sampling.churn.amount)
    + keys("sampling.snr", areReadAboveZeroOf: "sampling.corrections", \.sampling.corrections)
}
