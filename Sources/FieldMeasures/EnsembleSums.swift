import MessagePassing
import Tensors

/// The sums over cases from which the measures of conditional ensembles follow: M members, drawn for one condition, and
/// the truth that belongs to it.
///
/// Cases are added batch by batch, and combined along a `SampleTree`; all sums are in double precision.
package struct EnsembleSums: Sendable {
  /// M.
  package let memberCount: Int
  /// [H, W, C].
  package let shape: [Int]
  /// Decides the ranks of truths that equal a member.
  package let seed: UInt64
  /// How often the truth has each rank among the members, 0 … M, for each channel.
  package private(set) var rankCounts: [[Int]]
  private var tree: SampleTree

  /// - Parameters:
  ///   - memberCount: M, at least 1.
  ///   - shape: [H, W, C] of the fields.
  ///   - firstCase: the index of the first case that will be added, among those of all ranks.
  package init(memberCount: Int, shape: [Int], seed: UInt64, firstCase: Int = 0) {
    precondition(memberCount >= 1, "an ensemble needs at least one member")
    precondition(shape.count == 3 && shape.allSatisfy { $0 >= 1 }, "fields are [H, W, C], not \(shape)")
    self.memberCount = memberCount
    self.shape = shape
    self.seed = seed
    rankCounts = [[Int]](repeating: [Int](repeating: 0, count: memberCount + 1), count: shape[2])
    tree = SampleTree(width: shape[2] * PointSums.width, firstSample: firstCase)
  }

  /// The number of cases so far.
  package var count: Int { tree.count }

  /// Adds the next cases.
  ///
  /// - Parameters:
  ///   - ensembles: [cases, M, H, W, C].
  ///   - truths: [cases, H, W, C].
  ///   - isPresent: for each element of `truths` whether it counts; nil if all do. Where the truth is missing, nothing is
  ///     compared with it.
  /// - Throws: `FieldMeasureError` for other shapes, and for numbers that are infinite or NaN; nothing is added then.
  package mutating func add(
    _ ensembles: Tensor, truths: Tensor, isPresent: [Bool]? = nil, workers: WorkerPool
  ) throws(FieldMeasureError) {
    try ensembles.check(shape: [nil, memberCount] + shape, name: "ensembles")
    try truths.check(shape: [ensembles.shape[0]] + shape, name: "truths")
    precondition(isPresent.map { $0.count == truths.count } ?? true, "there must be a mark for each value of a truth")
    let size = shape.reduce(1, *)
    for index in 0..<ensembles.shape[0] {
      let stream = RandomStream(seed: seed, purpose: .rankTies, sample: tree.nextSample)
      // A row of the grid at a time, so that the order of additions does not depend on threads.
      let rows = workers.map(shape[0]) { row in
        sums(
          ofRow: row, ensemble: ensembles[image: index], truth: truths[image: index],
          isPresent: isPresent?[index * size..<(index + 1) * size], ties: stream)
      }
      var total = [PointSums](repeating: PointSums(), count: shape[2])
      for row in rows {
        for channel in 0..<shape[2] {
          total[channel].add(row.sums[channel])
          for (rank, count) in row.rankCounts[channel].enumerated() { rankCounts[channel][rank] += count }
        }
      }
      tree.add(total.flatMap(\.row))
    }
  }

  /// The sums of all ranks' cases, on every rank. Collective; see `SampleTree.gathered(over:)`.
  package func gathered(over communicator: Communicator) throws(MPIError) -> EnsembleSums {
    let counts = Buffer<Int>(count: shape[2] * (memberCount + 1))
    counts.store(rankCounts.flatMap { $0 })
    try communicator.allReduceSum(counts)
    var sums = self
    sums.rankCounts = (0..<shape[2]).map { channel in
      counts[channel * (memberCount + 1)..<(channel + 1) * (memberCount + 1)].elements
    }
    sums.tree = try tree.gathered(over: communicator)
    return sums
  }

  /// The means of a channel over all cases and the points where the truth is present.
  ///
  /// - Throws: `FieldMeasureError` if there are no cases or fewer members than needed, all values of the truths are
  ///   missing, or there is no such channel.
  func means(_ channel: Int, minimumMembers: Int, measure: String) throws(FieldMeasureError) -> PointSums {
    guard (0..<shape[2]).contains(channel) else { throw .noSuchChannel(channel, channels: shape[2]) }
    guard memberCount >= minimumMembers else {
      throw .tooFew(things: "members", found: memberCount, minimum: minimumMembers, measure: measure)
    }
    guard let total = tree.total else { throw .tooFew(things: "cases", found: 0, minimum: 1, measure: measure) }
    let sums = Array(total[channel * PointSums.width..<(channel + 1) * PointSums.width])
    let points = PointSums(row: sums).count
    guard points > 0 else {
      throw .tooFew(things: "values of the truth that are not missing", found: 0, minimum: 1, measure: measure)
    }
    return PointSums(row: sums.map { $0 / points })
  }

  /// The sums and the rank counts of each channel over a row of the grid.
  private func sums(
    ofRow row: Int, ensemble: Tensor, truth: Tensor, isPresent: ArraySlice<Bool>?, ties: RandomStream
  ) -> (sums: [PointSums], rankCounts: [[Int]]) {
    let (size, width, channels) = (truth.count, shape[1], shape[2])
    var sums = [PointSums](repeating: PointSums(), count: channels)
    var counts = [[Int]](repeating: [Int](repeating: 0, count: memberCount + 1), count: channels)
    var errors = [Double](repeating: 0, count: memberCount)
    for index in row * width * channels..<(row + 1) * width * channels {
      if let isPresent, !isPresent[isPresent.startIndex + index] { continue }
      let channel = index % channels
      let truth = Double(truth[index])
      for member in 0..<memberCount { errors[member] = Double(ensemble[member * size + index]) - truth }
      errors.sort()
      sums[channel].add(PointSums(sortedErrors: errors))
      let below = errors.count { $0 < 0 }
      let equal = errors.count { $0 == 0 }
      counts[channel][below + (equal > 0 ? ties.integer(index, below: equal + 1) : 0)] += 1
    }
    return (sums, counts)
  }
}

/// What the measures need of a point's ensemble, summed over points.
struct PointSums {
  /// The number of points.
  var count = 0.0
  /// The mean over members of |x − y|, where y is the truth.
  var absoluteError = 0.0
  /// Σ |x_i − x_j| over the pairs i < j.
  var pairDifferences = 0.0
  /// The members' variance with divisor M − 1; 0 for one member.
  var variance = 0.0
  /// The squared error of the ensemble's mean.
  var squaredError = 0.0

  static let width = 5
  var row: [Double] { [count, absoluteError, pairDifferences, variance, squaredError] }

  init() {}

  init(row: [Double]) {
    (count, absoluteError, pairDifferences) = (row[0], row[1], row[2])
    (variance, squaredError) = (row[3], row[4])
  }

  /// - Parameter errors: x_i − y, in ascending order.
  init(sortedErrors errors: [Double]) {
    let members = errors.count
    count = 1
    var sum = 0.0
    for (index, error) in errors.enumerated() {
      sum += error
      absoluteError += abs(error)
      // Each pair adds its larger member and subtracts its smaller one.
      pairDifferences += Double(2 * index + 1 - members) * error
    }
    absoluteError /= Double(members)
    let mean = sum / Double(members)
    squaredError = mean * mean
    guard members > 1 else { return }
    for error in errors { variance += (error - mean) * (error - mean) }
    variance /= Double(members - 1)
  }

  mutating func add(_ other: PointSums) {
    count += other.count
    absoluteError += other.absoluteError
    pairDifferences += other.pairDifferences
    variance += other.variance
    squaredError += other.squaredError
  }
}
