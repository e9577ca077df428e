import ArgumentParser

/// What numbers options may be: far more than anybody needs, and so few that nothing that follows from them is beyond what
/// can be counted.
enum OptionRange {
  static let threads = 1...4096
  /// That go through a network together.
  static let batch = 1...1 << 20
  /// Each image has its own stream of random numbers.
  static let imageNumbers = 0..<1 << 32
  static let images = 1...imageNumbers.count
  /// Of training that a trace records.
  static let steps = 1...1_000_000
}

/// - Throws: an error that names the option, its value and the bound that it is beyond. An option that is not given is
///   right.
func require(_ option: String, _ value: Int?, in range: ClosedRange<Int>) throws(ValidationError) {
  guard let value, !range.contains(value) else { return }
  let bound = value < range.lowerBound ? "at least \(range.lowerBound)" : "at most \(range.upperBound)"
  throw ValidationError("\(option) is \(value); it must be \(bound).")
}
