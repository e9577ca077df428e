extension RunConfiguration {
  /// The keys whose values differ, with both values as YAML.
  public func difference(from other: RunConfiguration) -> [(key: ConfigurationKey, mine: String, theirs: String)] {
    ConfigurationKey.all.compactMap { key in
      let mine = key.value(in: self)
      let theirs = key.value(in: other)
      return mine == theirs ? nil : (key, mine, theirs)
    }
  }

  /// Checks that a run saved with `saved` computes the same numbers when it goes on with this configuration.
  ///
  /// How long to train, how often to save, log and sample, how to sample and where the data lie may change.
  ///
  /// - Throws: every other key that differs, with both values.
  public func checkResumable(saved: RunConfiguration) throws(ConfigurationError) {
    let problems = difference(from: saved).filter { !$0.key.mayChangeOnResume }.map { difference in
      "\(difference.key.name) is \(difference.mine), but the run to resume was started with \(difference.theirs); "
        + "keep \(difference.theirs), or start a new run in another --output"
    }
    if !problems.isEmpty { throw ConfigurationError(problems) }
  }
}
