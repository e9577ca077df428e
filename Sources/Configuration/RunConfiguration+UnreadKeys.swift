/// A key that is read only where another key has certain values.
package struct KeyScope: Sendable {
  package let key: String
  /// The key that decides whether `key` is read, and its values for which it is.
  package let decider: String
  package let values: [String]

  init(_ key: String, isReadWith decider: String, _ values: String...) {
    self.key = key
    self.decider = decider
    self.values = values
  }

  /// Every such key. One that is set and not read would be ignored silently.
  package static let all: [KeyScope] =
    ["data.background", "data.channels", "data.orientation"].map { .init($0, isReadWith: "data.name", "folder") }
    + ["diffusion.steps", "diffusion.rescale_times", "diffusion.time_sampling", "diffusion.variance"].map {
      .init($0, isReadWith: "diffusion.process", "vp", "ve")
    }
    + ["diffusion.schedule", "diffusion.beta_first", "diffusion.beta_last", "diffusion.zero_terminal_snr"].map {
      .init($0, isReadWith: "diffusion.process", "vp")
    }
    + ["diffusion.beta_first", "diffusion.beta_last"].map {
      .init($0, isReadWith: "diffusion.schedule", "linear", "quadratic", "sigmoid")
    }
    + ["diffusion.sigma_min", "diffusion.sigma_max"].map {
      .init($0, isReadWith: "diffusion.process", "ve", "ve-sde", "edm")
    }
    + ["diffusion.scale_input", "model.scale_by_sigma"].map {
      .init($0, isReadWith: "diffusion.process", "ve", "ve-sde")
    }
    + [
      .init("diffusion.prediction", isReadWith: "diffusion.process", "vp", "ve", "vp-sde", "ve-sde", "sub-vp-sde"),
      .init("model.fourier_scale", isReadWith: "model.embedding", "fourier"),
      .init("model.progressive_combine", isReadWith: "model.progressive_input", "input-skip"),
    ]
}

/// A key that has another value than its default, and that nothing reads.
struct UnreadKey {
  let scope: KeyScope
  let value: String
  let usualValue: String
  let decidingValue: String

  /// In words.
  var problem: String {
    let values = scope.values
    let readers =
      values.count == 1 ? values[0] : values.dropLast().joined(separator: ", ") + " and " + values[values.count - 1]
    return "\(scope.key) is \(value), which is for \(scope.decider) \(readers); \(scope.decider) is "
      + "\(decidingValue), so leave \(scope.key) at its default, \(usualValue)"
  }
}

extension RunConfiguration {
  /// The keys that are set and not read.
  var unreadKeys: [UnreadKey] {
    let usual = RunConfiguration()
    return KeyScope.all.compactMap { scope in
      let (value, usualValue, decidingValue) = (text(scope.key), usual.text(scope.key), text(scope.decider))
      guard value != usualValue, !scope.values.contains(decidingValue) else { return nil }
      return UnreadKey(scope: scope, value: value, usualValue: usualValue, decidingValue: decidingValue)
    }
  }

  /// The same configuration where keys that are not read have their defaults: it does the same.
  public func withoutUnreadKeys() -> RunConfiguration {
    let usual = RunConfiguration()
    return unreadKeys.reduce(into: self) { result, unread in
      if let key = ConfigurationKey.named(unread.scope.key) { _ = key.assign(key.node(usual), &result) }
    }
  }
}
