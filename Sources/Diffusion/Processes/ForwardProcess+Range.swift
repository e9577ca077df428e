/// A time of a process that cannot be computed with.
public enum UnworkableTime: Sendable, Equatable {
  /// The noise, or what a step adds of it, is too little to be told from none.
  case littleNoise(Double)
  /// The signal is too little beside the noise to be told from none.
  case littleSignal(Double)
}

extension ForwardProcess {
  /// The first time at which the ratio of signal to noise, α²/σ², is beyond `largestSignalToNoise` or below its reciprocal,
  /// or does not fall any more; nil for a process that can be computed with. That the last step of a discrete process has
  /// no signal at all is no fault.
  public var firstUnworkableTime: UnworkableTime? {
    let times = timesToCheck
    var last = Double.infinity
    for time in times {
      let marginal = marginal(at: time)
      let ratio = marginal.signalToNoise
      if time == times.last, marginal.signal == 0 { return nil }
      if !(ratio <= largestSignalToNoise && ratio < last) { return .littleNoise(time) }
      if !(ratio >= 1 / largestSignalToNoise) { return .littleSignal(time) }
      last = ratio
    }
    return nil
  }

  /// Networks, losses and images are 32-bit floats, which reach to 3·10³⁸, and are added up.
  private var largestSignalToNoise: Double { 1e30 }

  /// All steps, or equally many times in training's range.
  private var timesToCheck: [Double] {
    if let discrete { return (0..<discrete.steps).map(Double.init) }
    let (first, last) = (trainingTimes.lowerBound, trainingTimes.upperBound)
    return (0...1000).map { first + (last - first) * Double($0) / 1000 }
  }
}
