import Diffusion
import Yams

/// A key of `sampling` with a value that an option of the command line gives it, over that of a checkpoint's
/// configuration: `--churn-min` stands for `sampling.churn_min`.
public struct KeyOption: Sendable {
  public let key: ConfigurationKey
  private let value: String

  /// - Throws: what the value must be, if it is not allowed.
  public init(_ key: ConfigurationKey, _ value: String) throws(ConfigurationError) {
    (self.key, self.value) = (key, value)
    var configuration = RunConfiguration()
    guard set(&configuration) else { throw ConfigurationError("expected \(key.expected)") }
    if let allowed = key.allowed, !key.isAllowed(configuration) { throw ConfigurationError("it must be \(allowed)") }
  }

  @discardableResult
  fileprivate func set(_ configuration: inout RunConfiguration) -> Bool {
    key.assign(Node(value, .implicit, .plain), &configuration)
  }
}

extension ConfigurationKey {
  /// What the option is called that stands for a key of `sampling`; other keys have none, and stay what they are called.
  static func optionName(_ key: String) -> String {
    key.hasPrefix("sampling.") ? "--" + key.dropFirst("sampling.".count).replacing("_", with: "-") : key
  }

  public var optionName: String { Self.optionName(name) }
}

extension RunConfiguration {
  /// The configuration of a trained model with what options say of how images are drawn. What nothing reads then, such as
  /// the steps of another sampler, has its default.
  /// - Throws: what nothing would read of the options, and what cannot work, by the options' names.
  public func drawing(with options: [KeyOption]) throws(ConfigurationError) -> RunConfiguration {
    var changed = self
    for option in options { option.set(&changed) }
    let given = Set(options.map(\.key.name))
    let unread = changed.unreadKeys(besides: given).filter { given.contains($0.key.name) }
    if let first = unread.first { throw ConfigurationError(first.problemOfOption) }
    changed = changed.withoutUnreadKeys()
    if let problem = changed.samplerProblem(name: ConfigurationKey.optionName) { throw ConfigurationError(problem) }
    return changed
  }

  /// The sampler that draws the model's images; `nil` if there is no such process.
  var samplerName: SamplerName? { (try? process()).map { sampling.name(for: $0) } }

  /// Why images cannot be drawn as the keys say; `nil` if they can.
  /// - Parameter name: what a key is called.
  func samplerProblem(name: (String) -> String) -> String? {
    do {
      _ = try sampling.sampler(for: try process(), variance: diffusion.variance)
      return nil
    } catch { return "\(name("sampling.\(error.key)")): \(error.problem)" }
  }
}
