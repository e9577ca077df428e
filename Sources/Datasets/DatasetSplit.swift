/// Which images of a data set.
public enum DatasetSplit: String, Sendable, CaseIterable, Codable {
  case training
  /// Those that are kept for tests.
  case test
}
