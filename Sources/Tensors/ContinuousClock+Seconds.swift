extension ContinuousClock.Instant {
  /// Seconds from this moment to now.
  public var secondsUntilNow: Double { duration(to: .now).inSeconds }
}
