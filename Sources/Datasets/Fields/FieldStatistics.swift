/// The moments and extremes of a channel's values, and how many are missing.
///
/// They are computed for each sample in double precision, in the order of rows and columns, and merged in the order of
/// samples, so they do not depend on how many threads compute them.
struct FieldStatistics: Equatable {
  /// The number of values that are present.
  private(set) var count = 0
  private(set) var mean = 0.0
  /// The sum of squared differences from the mean.
  private(set) var squares = 0.0
  private(set) var minimum = Double.infinity
  private(set) var maximum = -Double.infinity
  private(set) var missing = 0
  /// The index of the first missing value of a sample, in the order of rows and columns.
  private(set) var firstMissing: Int?

  var standardDeviation: Double { count > 0 ? (squares / Double(count)).squareRoot() : 0 }

  init() {}

  /// The statistics of a sample's values, in two passes.
  /// - Parameters:
  ///   - count: the number of values.
  ///   - value: a value by its index; a value that is not finite is missing.
  init(count: Int, value: (Int) -> Float) {
    var sum = 0.0
    for index in 0..<count {
      let value = value(index)
      guard value.isFinite else {
        if missing == 0 { firstMissing = index }
        missing += 1
        continue
      }
      let number = Double(value)
      sum += number
      minimum = min(minimum, number)
      maximum = max(maximum, number)
    }
    self.count = count - missing
    guard self.count > 0 else { return }
    mean = sum / Double(self.count)
    for index in 0..<count {
      let value = value(index)
      guard value.isFinite else { continue }
      let difference = Double(value) - mean
      squares += difference * difference
    }
  }

  /// Adds the values of the next sample (Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing
  /// sample variances, 1979, equation 2.1).
  mutating func merge(_ next: FieldStatistics) {
    missing += next.missing
    guard next.count > 0 else { return }
    let total = count + next.count
    let difference = next.mean - mean
    squares += next.squares + difference * difference * (Double(count) * Double(next.count) / Double(total))
    mean += difference * (Double(next.count) / Double(total))
    count = total
    minimum = min(minimum, next.minimum)
    maximum = max(maximum, next.maximum)
  }
}
