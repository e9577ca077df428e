/// Which images of a data set.
public enum DatasetSplit: String, Sendable, CaseIterable {
  case training
  /// Those that are kept for tests.
  case test
}
