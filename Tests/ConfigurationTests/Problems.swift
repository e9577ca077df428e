import Configuration

/// The default configuration after `change`.
func changed(_ change: (inout RunConfiguration) -> Void) -> RunConfiguration {
  var configuration = RunConfiguration()
  change(&configuration)
  return configuration
}

/// The problems of the default configuration after `change`.
func problemsAfter(_ change: (inout RunConfiguration) -> Void) -> [String] {
  let configuration = changed(change)
  return problems { () throws(ConfigurationError) in try configuration.validate() }
}
