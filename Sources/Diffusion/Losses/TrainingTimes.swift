import RealModule
import Tensors

/// The distribution of training times. Each image's time is drawn from a random stream of its own.
enum TrainingTimes: Sendable {
  /// The steps of a discrete process.
  case steps(Int)
  case uniform(ClosedRange<Double>)
  /// log t ~ N(mean, standardDeviation²), clamped to a range.
  case logNormal(mean: Double, standardDeviation: Double, ClosedRange<Double>)
  /// The density has equal mass between consecutive times.
  case quantiles([Double])

  /// Uniform over the steps, or over the training times of the process.
  static func even(over process: any ForwardProcess) -> TrainingTimes {
    process.discrete.map { .steps($0.steps) } ?? .uniform(process.trainingTimes)
  }

  /// For a process whose time is σ.
  static func edm(_ process: any ForwardProcess, _ levels: NoiseLevels) -> TrainingTimes {
    .logNormal(mean: levels.mean, standardDeviation: levels.standardDeviation, process.times)
  }

  /// In proportion to g²/σ² (Song, Durkan, Murray, Ermon, arXiv:2101.09258, section 5).
  static func likelihoodWeighted(_ process: any ForwardProcess) -> TrainingTimes {
    .quantiles(
      timesOfEqualMass(over: process.trainingTimes) { time in
        let sigma = process.marginal(at: time).sigma
        return process.squaredDiffusion(at: time) / (sigma * sigma)
      })
  }

  func draw(_ stream: RandomStream) -> Double {
    switch self {
    case .steps(let count): return Double(stream.integer(0, below: count))
    case .uniform(let range):
      return range.lowerBound + Double(stream.uniform(0)) * (range.upperBound - range.lowerBound)
    case .logNormal(let mean, let standardDeviation, let range):
      let normal = Double(stream.normal)
      return min(max(.exp(mean + standardDeviation * normal), range.lowerBound), range.upperBound)
    case .quantiles(let quantiles):
      let position = Double(stream.uniform(0)) * Double(quantiles.count - 1)
      let index = min(Int(position), quantiles.count - 2)
      return quantiles[index] + (quantiles[index + 1] - quantiles[index]) * (position - Double(index))
    }
  }

  private static func timesOfEqualMass(over range: ClosedRange<Double>, density: (Double) -> Double) -> [Double] {
    let (first, last) = (range.lowerBound, range.upperBound)
    // Spaced by a constant ratio, since the density is largest and steepest at the smallest time.
    let count = 20_000
    let times = (0...count).map { first * .pow(last / first, Double($0) / Double(count)) }
    var sums = [0.0]
    for (a, b) in zip(times, times.dropFirst()) { sums.append(sums.last! + (density(a) + density(b)) / 2 * (b - a)) }
    var index = 0
    return (0...1000).map { part in
      let sought = sums.last! * Double(part) / 1000
      while index < count - 1 && sums[index + 1] < sought { index += 1 }
      let share = (sought - sums[index]) / (sums[index + 1] - sums[index])
      return min(times[index] + (times[index + 1] - times[index]) * min(max(share, 0), 1), last)
    }
  }
}
