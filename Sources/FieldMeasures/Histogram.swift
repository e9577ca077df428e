import MessagePassing
import Tensors

/// How often a channel's values lie between given edges, over all samples and points.
///
/// As in `numpy.histogram`, a bin has its lower edge and not its upper one, except for the last bin, which has both.
/// Counts are whole numbers: their sums are the same in any order.
package struct Histogram: Codable, Sendable, Equatable {
  /// In ascending order, one more than there are bins.
  package let edges: [Double]
  package private(set) var counts: [Int]
  /// The number of values below the first edge.
  package private(set) var below = 0
  /// The number of values above the last edge.
  package private(set) var above = 0

  /// The number of values.
  package var total: Int { counts.reduce(below + above, +) }

  /// - Parameter edges: two or more, in ascending order.
  /// - Throws: `FieldMeasureError` for other edges.
  package init(edges: [Double]) throws(FieldMeasureError) {
    guard edges.count >= 2 else { throw .wrongEdges(problem: "a histogram cannot have \(edges.count) edges") }
    for (lower, upper) in zip(edges, edges.dropFirst()) where !(lower < upper && (upper - lower).isFinite) {
      throw .wrongEdges(problem: "a bin cannot reach from \(lower) to \(upper)")
    }
    self.edges = edges
    counts = [Int](repeating: 0, count: edges.count - 1)
  }

  /// Edges at equal distances. A range without width, such as that of a constant, is widened by ½ on both sides, as
  /// `numpy.histogram` does.
  ///
  /// - Parameters:
  ///   - range: for histograms that are to be compared, that of all their values; see `Moments`.
  ///   - bins: the number of bins, at least 1.
  package static func equalEdges(over range: ClosedRange<Double>, bins: Int) -> [Double] {
    precondition(bins >= 1, "a histogram needs at least one bin")
    let isPoint = range.lowerBound == range.upperBound
    let (first, last) =
      isPoint ? (range.lowerBound - 0.5, range.upperBound + 0.5) : (range.lowerBound, range.upperBound)
    return (0...bins).map { $0 == bins ? last : first + (last - first) * (Double($0) / Double(bins)) }
  }

  /// Counts the values of the next samples.
  ///
  /// - Parameters:
  ///   - fields: [N, H, W, C].
  ///   - isPresent: for each element of `fields` whether it counts; nil if all do.
  /// - Throws: `FieldMeasureError` for another shape, no such channel, and numbers that are infinite or NaN; nothing is
  ///   counted then.
  package mutating func add(
    _ fields: Tensor, channel: Int, isPresent: [Bool]? = nil, workers: WorkerPool
  ) throws(FieldMeasureError) {
    try fields.check(shape: [nil, nil, nil, nil], name: "fields")
    let channels = fields.shape[3]
    guard (0..<channels).contains(channel) else { throw .noSuchChannel(channel, channels: channels) }
    let parts = workers.map(fields.shape[0]) { sample in
      // Those below the first edge, in each bin, and above the last edge.
      var counts = [Int](repeating: 0, count: self.counts.count + 2)
      for value in fields.values(ofSample: sample, channel: channel, isPresent: isPresent) { counts[slot(value)] += 1 }
      return counts
    }
    for part in parts { add(part) }
  }

  /// The counts of all ranks' samples, on every rank. Collective.
  package func gathered(over communicator: Communicator) throws(MPIError) -> Histogram {
    let sums = Buffer<Int>(count: counts.count + 2)
    sums.store([below] + counts + [above])
    try communicator.allReduceSum(sums)
    var result = self
    (result.below, result.above) = (0, 0)
    for bin in counts.indices { result.counts[bin] = 0 }
    result.add(sums.elements)
    return result
  }

  private mutating func add(_ slots: [Int]) {
    below += slots[0]
    for bin in counts.indices { counts[bin] += slots[bin + 1] }
    above += slots[counts.count + 1]
  }

  /// 0 below the first edge, then 1 + the bin; the last one is above the last edge.
  private func slot(_ value: Double) -> Int {
    if value == edges[edges.count - 1] { return counts.count }
    // The number of edges that are not above the value.
    var (low, high) = (0, edges.count)
    while low < high {
      let middle = (low + high) / 2
      if edges[middle] <= value { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The Wasserstein-1 distance to another histogram, ∫ |F − G| dx with both distribution functions: how far the values
  /// have to be moved on average, in the channel's unit.
  ///
  /// Every value counts as the centre of its bin, those beyond the edges as the nearest edge. The distance of the values
  /// themselves differs by at most the width of a bin, if none is beyond the edges.
  ///
  /// - Throws: `FieldMeasureError` if the edges differ, or a histogram is empty.
  package func wassersteinDistance(to other: Histogram) throws(FieldMeasureError) -> Double {
    guard edges == other.edges else { throw .wrongEdges(problem: "the two histograms have different edges") }
    for total in [total, other.total] where total == 0 {
      throw .tooFew(things: "values", found: 0, minimum: 1, measure: "a distance of histograms")
    }
    let centres = zip(edges, edges.dropFirst()).map { $0 + ($1 - $0) / 2 }
    let positions = [edges[0]] + centres + [edges[edges.count - 1]]
    var (own, others) = (below, other.below)
    var distance = 0.0
    for slot in 0..<positions.count - 1 {
      let difference = Double(own) / Double(total) - Double(others) / Double(other.total)
      distance += abs(difference) * (positions[slot + 1] - positions[slot])
      if slot < counts.count {
        own += counts[slot]
        others += other.counts[slot]
      }
    }
    return distance
  }
}
