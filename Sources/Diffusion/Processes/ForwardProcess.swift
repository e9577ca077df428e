import Glibc

/// A process that turns images into noise: q(x_t | x_0) = N(α_t·x_0, σ_t²·I) at each time t. Time runs in units of the
/// process's own, from little noise to much.
public protocol ForwardProcess: Sendable {
  /// Where sampling ends and where it begins.
  var times: ClosedRange<Double> { get }
  /// α and σ at a time, which may lie between those of a discrete process.
  func marginal(at time: Double) -> Marginal
  /// What a network is told of a time, in the range that networks for 1000 discrete steps know.
  func networkTime(at time: Double) -> Double
  /// What a network with Fourier features of the noise is told of a time: the logarithm of σ or, where the noise stays
  /// bounded, that of `networkTime`; minus infinity where that is 0.
  func logarithmicNetworkTime(at time: Double) -> Double
  /// The deviation of what sampling starts from at a time, N(0, deviation²·I), as far as nothing of the image is left
  /// there; by default that of the noise.
  func priorDeviation(at time: Double) -> Double
  /// `steps` + 1 times from the last to the first, for a sampler of that many steps.
  func samplingTimes(steps: Int) -> [Double]
}

extension ForwardProcess {
  /// Equal steps.
  public func samplingTimes(steps: Int) -> [Double] {
    let (first, last) = (times.upperBound, times.lowerBound)
    return (0...steps).map { $0 == steps ? last : first + (last - first) * Double($0) / Double(steps) }
  }

  public func priorDeviation(at time: Double) -> Double { marginal(at: time).deviation }

  public func logarithmicNetworkTime(at time: Double) -> Double { log(networkTime(at: time)) }

  /// The deviation of what sampling starts from at the last time.
  public var priorDeviation: Double { priorDeviation(at: times.upperBound) }
}

/// A process in continuous time: dx = f(t)·x dt + g(t) dw (Song, Sohl-Dickstein, Kingma, Kumar, Ermon, Poole:
/// "Score-based generative modeling through stochastic differential equations", arXiv:2011.13456, equation 5). One of
/// your own needs f, g and the marginal that they lead to.
public protocol DiffusionSDE: ForwardProcess {
  /// f(t), what x is multiplied by.
  func drift(at time: Double) -> Double
  /// g(t)².
  func squaredDiffusion(at time: Double) -> Double
  /// Times that a network is trained for; a bit more than it samples.
  var trainingTimes: ClosedRange<Double> { get }
}

extension DiffusionSDE {
  public var trainingTimes: ClosedRange<Double> { times }
}
