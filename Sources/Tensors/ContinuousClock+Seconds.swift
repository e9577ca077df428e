extension ContinuousClock.Instant {
  /// The seconds from this instant to now.
  package var secondsUntilNow: Double { duration(to: .now).inSeconds }
}
