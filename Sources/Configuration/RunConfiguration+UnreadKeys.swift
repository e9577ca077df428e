/// A key that was set but is not used.
struct UnreadKey {
  let key: ConfigurationKey
  fileprivate let scope: KeyScope
  fileprivate let configuration: RunConfiguration

  /// The message.
  var problem: String {
    problem(name: \.self) + "so leave \(key.name) at its default, \(key.value(in: RunConfiguration()))"
  }

  /// The message for a user who has set it by a command-line option.
  var problemOfOption: String { problem(name: ConfigurationKey.optionName) + "so leave it out" }

  private func problem(name: (String) -> String) -> String {
    let decider = name(scope.decider)
    return
      "\(name(key.name)) is \(key.value(in: configuration)), which requires \(decider) \(scope.readers); \(decider) is "
      + "\(scope.decision(configuration)), "
  }
}

extension RunConfiguration {
  /// The keys that are not used and differ from their default, or are in the set of keys given by the user.
  func unreadKeys(besides set: Set<String> = []) -> [UnreadKey] {
    let usual = RunConfiguration()
    return KeyScope.all.compactMap { scope in
      guard !scope.isRead(self), let key = ConfigurationKey.named(scope.key),
        set.contains(key.name) || key.value(in: self) != key.value(in: usual)
      else { return nil }
      return UnreadKey(key: key, scope: scope, configuration: self)
    }
  }

  /// The same configuration with unused keys at their defaults, which is equivalent.
  /// - Parameter given: the keys given by the user, which stay as they are.
  package func withoutUnreadKeys(besides given: Set<String> = []) -> RunConfiguration {
    let usual = RunConfiguration()
    return unreadKeys().reduce(into: self) { result, unread in
      if !given.contains(unread.key.name) { _ = unread.key.assign(unread.key.node(usual), &result) }
    }
  }
}
