extension ContinuousClock.Instant {
  /// The seconds from this instant to now.
  public var secondsUntilNow: Double { duration(to: .now).inSeconds }
}
