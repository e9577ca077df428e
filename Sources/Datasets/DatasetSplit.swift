/// The parts of a data set.
package enum DatasetSplit: String, Sendable, CaseIterable, Codable {
  case training
  /// The images reserved for tests.
  case test
}
