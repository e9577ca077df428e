extension RunConfiguration {
  /// The configuration to resume a run with. What was `auto` when it started stays as it was.
  package func resuming(_ saved: RunConfiguration) -> RunConfiguration {
    guard diffusion.process == .edm, saved.diffusion.process == .edm, diffusion.sigmaData == nil else { return self }
    var configuration = self
    configuration.diffusion.sigmaData = saved.diffusion.sigmaData
    return configuration
  }

  /// The keys whose values differ, with both values as YAML.
  package func difference(from other: RunConfiguration) -> [(key: ConfigurationKey, mine: String, theirs: String)] {
    ConfigurationKey.all.compactMap { key in
      let mine = key.value(in: self)
      let theirs = key.value(in: other)
      return mine == theirs ? nil : (key, mine, theirs)
    }
  }

  /// Checks that a run saved with `saved` can be resumed with this configuration: only keys that may change may differ,
  /// such as the learning rate, the number of steps, how often to save, log and sample, and the location of the data.
  ///
  /// - Parameter otherData: whether the data set may be different.
  /// - Throws: naming every other key that differs, with both values.
  package func checkResumable(saved: RunConfiguration, otherData: Bool = false) throws(ConfigurationError) {
    let problems = difference(from: saved).filter { difference in
      !difference.key.mayChangeOnResume && !(otherData && difference.key.name == "data.name")
    }.map { difference in
      "\(difference.key.name) is \(difference.mine), but the run to resume was started with \(difference.theirs); "
        + "keep \(difference.theirs), or start a new run in another --output"
    }
    if !problems.isEmpty { throw ConfigurationError(problems) }
  }
}
