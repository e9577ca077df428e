import MessagePassing
import Tensors

/// The numbers from which `Moments` follow, of every channel, in double precision.
///
/// Samples are added batch by batch, and combined along a `SampleTree`. What is kept are sums of powers of differences
/// from the mean, so that a mean much larger than the standard deviation costs no digits.
package struct MomentSums: Sendable {
  /// [H, W, C].
  package let shape: [Int]
  private var tree: SampleTree

  /// - Parameters:
  ///   - shape: [H, W, C] of the fields.
  ///   - firstSample: the index of the first sample that will be added, among those of all ranks.
  package init(shape: [Int], firstSample: Int = 0) {
    precondition(shape.count == 3 && shape.allSatisfy { $0 >= 1 }, "fields are [H, W, C], not \(shape)")
    self.shape = shape
    let channels = shape[2]
    tree = SampleTree(width: channels * CentralSums.width, firstSample: firstSample) { left, right in
      (0..<channels).flatMap { CentralSums(left, $0).combined(with: CentralSums(right, $0)).row }
    }
  }

  /// The number of samples so far.
  package var count: Int { tree.count }

  /// Adds the next samples.
  ///
  /// - Parameters:
  ///   - fields: [N, H, W, C].
  ///   - isPresent: for each element of `fields` whether it counts; nil if all do.
  /// - Throws: `FieldMeasureError` for another shape, and for numbers that are infinite or NaN; nothing is added then.
  package mutating func add(
    _ fields: Tensor, isPresent: [Bool]? = nil, workers: WorkerPool
  ) throws(FieldMeasureError) {
    try fields.check(shape: [nil] + shape, name: "fields")
    let rows = workers.map(fields.shape[0]) { sample in
      (0..<shape[2]).flatMap {
        CentralSums(of: fields.values(ofSample: sample, channel: $0, isPresent: isPresent)).row
      }
    }
    for row in rows { tree.add(row) }
  }

  /// The sums of all ranks' samples, on every rank. Collective; see `SampleTree.gathered(over:)`.
  package func gathered(over communicator: Communicator) throws(MPIError) -> MomentSums {
    var sums = self
    sums.tree = try tree.gathered(over: communicator)
    return sums
  }

  /// The sums of a channel; nil if there are no samples.
  func total(_ channel: Int) -> CentralSums? { tree.total.map { CentralSums($0, channel) } }
}

/// Count, mean and sums of powers of differences from the mean, and the range, of some numbers.
struct CentralSums {
  var count: Double
  var mean: Double
  /// Σ (x − mean)², and the same with exponents 3 and 4.
  var second: Double
  var third: Double
  var fourth: Double
  var minimum: Double
  var maximum: Double

  static let width = 7
  var row: [Double] { [count, mean, second, third, fourth, minimum, maximum] }

  init(_ rows: [Double], _ channel: Int) {
    let row = rows[channel * Self.width..<(channel + 1) * Self.width]
    let start = row.startIndex
    (count, mean, second, third) = (row[start], row[start + 1], row[start + 2], row[start + 3])
    (fourth, minimum, maximum) = (row[start + 4], row[start + 5], row[start + 6])
  }

  init(of values: [Double]) {
    var sum = 0.0
    (minimum, maximum) = (Double.infinity, -Double.infinity)
    for value in values {
      sum += value
      minimum = min(minimum, value)
      maximum = max(maximum, value)
    }
    count = Double(values.count)
    (mean, second, third, fourth) = (0, 0, 0, 0)
    if values.isEmpty { return }
    // A constant's mean is itself, whatever its sum rounds to.
    if minimum == maximum {
      mean = minimum
      return
    }
    mean = sum / count
    for value in values {
      let difference = value - mean
      let square = difference * difference
      second += square
      third += square * difference
      fourth += square * square
    }
  }

  /// The sums of both (Pébay, Sandia report SAND2008-6212).
  func combined(with other: CentralSums) -> CentralSums {
    // The mean of no numbers means nothing.
    if other.count == 0 { return self }
    if count == 0 { return other }
    let total = count + other.count
    let difference = other.mean - mean
    let (own, others) = (count / total, other.count / total)
    let square = difference * difference
    var result = self
    result.count = total
    result.mean = mean + difference * others
    result.second = second + other.second + square * count * others
    result.third =
      third + other.third + square * difference * count * others * (own - others)
      + 3 * difference * (own * other.second - others * second)
    result.fourth =
      fourth + other.fourth + square * square * count * others * (own * own - own * others + others * others)
      + 6 * square * (own * own * other.second + others * others * second)
      + 4 * difference * (own * other.third - others * third)
    result.minimum = min(minimum, other.minimum)
    result.maximum = max(maximum, other.maximum)
    return result
  }
}
