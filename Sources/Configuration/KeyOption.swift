import Diffusion

/// A key of `sampling` whose value is given by a command-line option and overrides that of the checkpoint's
/// configuration: `--churn-min` stands for `sampling.churn_min`.
package struct KeyOption: Sendable {
  package let key: ConfigurationKey
  private let value: String

  /// - Throws: if the value is not allowed, saying what is.
  package init(_ key: ConfigurationKey, _ value: String) throws(ConfigurationError) {
    (self.key, self.value) = (key, value)
    var configuration = RunConfiguration()
    guard set(&configuration) else { throw ConfigurationError("expected \(key.expected)") }
    if let allowed = key.allowed, !key.isAllowed(configuration) { throw ConfigurationError("it must be \(allowed)") }
  }

  @discardableResult
  fileprivate func set(_ configuration: inout RunConfiguration) -> Bool {
    key.assign(YAMLNode(plain: value), &configuration)
  }
}

extension ConfigurationKey {
  /// The option that stands for a key of `sampling`; for any other key, its own name.
  static func optionName(_ key: String) -> String {
    key.hasPrefix("sampling.") ? "--" + key.dropFirst("sampling.".count).replacing("_", with: "-") : key
  }

  package var optionName: String { Self.optionName(name) }
}

extension RunConfiguration {
  /// The configuration of a trained model with the options applied. Keys that are then not used, such as the steps of
  /// another sampler, get their defaults.
  /// - Throws: for options that would have no effect and settings that are not possible, by the options' names.
  package func drawing(with options: [KeyOption]) throws(ConfigurationError) -> RunConfiguration {
    var changed = self
    for option in options { option.set(&changed) }
    let given = Set(options.map(\.key.name))
    let unread = changed.unreadKeys(besides: given).filter { given.contains($0.key.name) }
    if let first = unread.first { throw ConfigurationError(first.problemOfOption) }
    changed = changed.withoutUnreadKeys()
    if let problem = changed.samplerProblem(name: ConfigurationKey.optionName) { throw ConfigurationError(problem) }
    return changed
  }

  /// The sampler that draws the model's images. The settings may be invalid, so the process is not made.
  var samplerName: SamplerName {
    sampling.name ?? .usual(isDiscrete: diffusion.process.isDiscrete, timeIsSigma: diffusion.process == .edm)
  }

  /// Why images cannot be drawn with these keys; nil if they can.
  /// - Parameter name: the name of a key in messages.
  func samplerProblem(name: (String) -> String) -> String? {
    do {
      _ = try sampling.sampler(for: try process(), variance: diffusion.variance)
      return nil
    } catch { return "\(name("sampling.\(error.key)")): \(error.problem)" }
  }
}
