import RealModule

/// A process that turns images into noise: q(x_t | x_0) = N(α_t·x_0, σ_t²·I) at each time t. Time runs in the process's
/// own units, from little noise to much, and is continuous: dx = f(t)·x dt + g(t) dw (Song, Sohl-Dickstein, Kingma, Kumar,
/// Ermon, Poole: "Score-based generative modeling through stochastic differential equations", arXiv:2011.13456,
/// equation 5). A process of your own needs f, g, the marginal that they lead to and what networks are told of a time.
public protocol ForwardProcess: Sendable {
  /// Where sampling ends and where it begins.
  var times: ClosedRange<Double> { get }
  /// Times that a network is trained for; by default those of sampling.
  var trainingTimes: ClosedRange<Double> { get }
  /// `steps` + 1 times from the last to the first, for a sampler of that many steps; by default equally far apart.
  func samplingTimes(steps: Int) -> [Double]

  /// The process's steps; nil, which is the default, if it is not made of steps.
  var discrete: DiscreteProcess? { get }
  /// Whether the time is σ itself and nothing is taken from the image; by default false.
  var timeIsSigma: Bool { get }

  /// α and σ at a time, which may lie between two steps of a discrete process.
  func marginal(at time: Double) -> Marginal
  /// f(t), what x is multiplied by.
  func drift(at time: Double) -> Double
  /// g(t)².
  func squaredDiffusion(at time: Double) -> Double
  /// The standard deviation of what sampling starts from at a time, N(0, priorSigma²·I), where hardly anything of the
  /// image is left; by default that of the noise.
  func priorSigma(at time: Double) -> Double

  /// What a network is told of a time, in the range that networks for 1000 discrete steps know.
  func networkTime(at time: Double) -> Double
  /// What a network with Fourier features of the noise is told of a time: the logarithm of σ or, where the noise stays
  /// bounded, that of `networkTime`, which is the default; minus infinity where that is 0.
  func logarithmicNetworkTime(at time: Double) -> Double
}

extension ForwardProcess {
  public var trainingTimes: ClosedRange<Double> { times }

  public func samplingTimes(steps: Int) -> [Double] {
    let (first, last) = (times.upperBound, times.lowerBound)
    return (0...steps).map { $0 == steps ? last : first + (last - first) * Double($0) / Double(steps) }
  }

  public var discrete: DiscreteProcess? { nil }

  public var timeIsSigma: Bool { false }

  public func priorSigma(at time: Double) -> Double { marginal(at: time).sigma }

  public func logarithmicNetworkTime(at time: Double) -> Double { .log(networkTime(at: time)) }

  /// The standard deviation of what sampling starts from at the last time.
  public var priorSigma: Double { priorSigma(at: times.upperBound) }

  /// As many times as steps, descending, for a sampler whose last step ends at the image itself.
  func timesBeforeImage(steps: Int) -> [Double] {
    steps == 1 ? [times.upperBound] : samplingTimes(steps: steps - 1)
  }
}
