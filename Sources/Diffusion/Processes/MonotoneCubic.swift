/// A smooth monotone curve through values at 0, 1, 2 …: piecewise cubic, with the slopes of Fritsch and Butland ("A
/// method for constructing local monotone piecewise cubic interpolants", 1984), as in SciPy's `PchipInterpolator`. With
/// kinks at every step, differential equation solvers would lose their order of convergence.
struct MonotoneCubic: Sendable, Equatable {
  let values: [Double]
  private let slopes: [Double]

  init(_ values: [Double]) {
    self.values = values
    let differences = zip(values.dropFirst(), values).map { $0 - $1 }
    guard let first = differences.first, let last = differences.last else {
      slopes = [0]
      return
    }
    let inner = zip(differences, differences.dropFirst()).map { before, after in
      // The harmonic mean is at most twice the flatter side's slope, which keeps the curve monotone.
      before * after > 0 ? 2 * before * after / (before + after) : 0
    }
    let (second, secondLast) = (differences.dropFirst().first ?? first, differences.dropLast().last ?? last)
    slopes = [Self.end(first, second)] + inner + [Self.end(last, secondLast)]
  }

  /// The slope at an end, from the difference beside it and the next: the slope of a parabola, unless it changes the
  /// direction.
  private static func end(_ difference: Double, _ next: Double) -> Double {
    let slope = (3 * difference - next) / 2
    if slope * difference <= 0 { return 0 }
    return difference * next <= 0 && abs(slope) > 3 * abs(difference) ? 3 * difference : slope
  }

  /// The piece around a time, a + u·(b + u·(c + u·d)), where u is the fraction of the distance from the value at or
  /// before the time to the next.
  private func piece(at time: Double) -> (u: Double, a: Double, b: Double, c: Double, d: Double) {
    if values.count == 1 { return (0, values[0], 0, 0, 0) }
    let index = max(0, min(values.count - 2, Int(time.rounded(.down))))
    let rise = values[index + 1] - values[index]
    let (before, after) = (slopes[index], slopes[index + 1])
    return (time - Double(index), values[index], before, 3 * rise - 2 * before - after, before + after - 2 * rise)
  }

  func value(at time: Double) -> Double {
    let (u, a, b, c, d) = piece(at: time)
    return a + u * (b + u * (c + u * d))
  }

  func slope(at time: Double) -> Double {
    let (u, _, b, c, d) = piece(at: time)
    return b + u * (2 * c + 3 * u * d)
  }
}
