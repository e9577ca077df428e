/// Importance sampling of the steps of a discrete process: step t is drawn in proportion to √E[L_t²], estimated from
/// its last losses, and weighted by the reciprocal probability, which minimises the variance of a batch's loss (Nichol,
/// Dhariwal, arXiv:2102.09672, section 3.3). Steps are drawn uniformly until every step has a full history.
package struct LossAwareSteps: Sendable, Equatable {
  /// The number of losses kept for each step.
  package static let historyLength = 10
  /// The fraction of draws that are uniform, so that every step is still drawn.
  static let evenShare = 0.001

  /// The last losses of each step, oldest first, [T, historyLength]; unused entries are zero.
  package private(set) var history: [Float]
  /// The number of losses of each step, T values.
  package private(set) var counts: [Int]

  package init(steps: Int) {
    history = [Float](repeating: 0, count: steps * Self.historyLength)
    counts = [Int](repeating: 0, count: steps)
  }

  /// Restores the state from earlier values of `history` and `counts`.
  package init(history: [Float], counts: [Int]) {
    precondition(history.count == counts.count * Self.historyLength, "a history for every step")
    self.history = history
    self.counts = counts
  }

  package var steps: Int { counts.count }
  package var isComplete: Bool { counts.allSatisfy { $0 == Self.historyLength } }

  /// Records a step's loss. The order of calls matters, so it must be the same on all ranks.
  package mutating func note(loss: Double, ofStep step: Int) {
    let first = step * Self.historyLength
    if counts[step] == Self.historyLength {
      for index in first..<first + Self.historyLength - 1 { history[index] = history[index + 1] }
    } else {
      counts[step] += 1
    }
    history[first + counts[step] - 1] = Float(loss)
  }

  /// The probability of each step.
  package var probabilities: [Double] {
    let even = 1 / Double(steps)
    guard isComplete else { return counts.map { _ in even } }
    let roots = (0..<steps).map { step -> Double in
      let losses = history[step * Self.historyLength..<(step + 1) * Self.historyLength]
      return (losses.reduce(0) { $0 + Double($1) * Double($1) } / Double(Self.historyLength)).squareRoot()
    }
    let total = roots.reduce(0, +)
    guard total > 0, total.isFinite else { return counts.map { _ in even } }
    return roots.map { (1 - Self.evenShare) * $0 / total + Self.evenShare * even }
  }
}

/// A discrete distribution over the steps, prepared for drawing.
struct StepDistribution {
  private let probabilities: [Double]
  private let sums: [Double]

  init(_ steps: LossAwareSteps) {
    probabilities = steps.probabilities
    var sum = 0.0
    sums = probabilities.map { probability in
      sum += probability
      return sum
    }
  }

  /// The first step at which the cumulative probability exceeds `share`, a number in [0, 1).
  func step(at share: Double) -> Int {
    let sought = share * sums[sums.count - 1]
    var (low, high) = (0, sums.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if sums[middle] > sought { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// 1/(T·p_t).
  func weight(of step: Int) -> Double { 1 / (Double(sums.count) * probabilities[step]) }
}
