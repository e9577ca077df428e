import RealModule

/// A process that turns images into noise: q(x_t | x_0) = N(α_t·x_0, σ_t²·I) at each time t. Time runs in the process's
/// own units, from little noise to much, and is continuous: dx = f(t)·x dt + g(t) dw (Song, Sohl-Dickstein, Kingma,
/// Kumar, Ermon, Poole: "Score-based generative modeling through stochastic differential equations", arXiv:2011.13456,
/// equation 5). A new process provides f, g, the resulting marginal and the network's time input.
package protocol ForwardProcess: Sendable {
  /// The times at which sampling ends and begins.
  var times: ClosedRange<Double> { get }
  /// The times that a network is trained on; by default the range of sampling.
  var trainingTimes: ClosedRange<Double> { get }
  /// `steps` + 1 times from the last to the first, for a sampler of that many steps; by default equally spaced.
  func samplingTimes(steps: Int) -> [Double]

  /// The process as discrete steps; nil, the default, if it is continuous.
  var discrete: DiscreteProcess? { get }
  /// Whether the time is σ itself and α is 1; false by default.
  var timeIsSigma: Bool { get }

  /// α and σ at a time, which may lie between two steps of a discrete process.
  func marginal(at time: Double) -> Marginal
  /// f(t), the factor of x.
  func drift(at time: Double) -> Double
  /// g(t)².
  func squaredDiffusion(at time: Double) -> Double
  /// The standard deviation of the starting point of sampling at a time, N(0, priorSigma²·I), where hardly anything of
  /// the image is left; by default that of the noise.
  func priorSigma(at time: Double) -> Double

  /// The steps of a chain, from the last time to the image itself, as Song et al. discretise their processes
  /// (arXiv:2011.13456, appendix E, and their code); by default the transitions between the times, which discrete
  /// processes have already.
  func chain(steps: Int) -> [ChainLink]

  /// The network's time input, in the range of networks for 1000 discrete steps.
  func networkTime(at time: Double) -> Double
  /// The time input of a network with Fourier features of the noise: log σ or, where the noise stays bounded, the
  /// logarithm of `networkTime`, which is the default; minus infinity if that is 0.
  func logarithmicNetworkTime(at time: Double) -> Double
}

extension ForwardProcess {
  package var trainingTimes: ClosedRange<Double> { times }

  package func samplingTimes(steps: Int) -> [Double] {
    let (first, last) = (times.upperBound, times.lowerBound)
    return (0...steps).map { $0 == steps ? last : first + (last - first) * Double($0) / Double(steps) }
  }

  package var discrete: DiscreteProcess? { nil }

  package var timeIsSigma: Bool { false }

  package func priorSigma(at time: Double) -> Double { marginal(at: time).sigma }

  package func logarithmicNetworkTime(at time: Double) -> Double { .log(networkTime(at: time)) }

  /// The standard deviation of the starting point of sampling at the last time.
  package var priorSigma: Double { priorSigma(at: times.upperBound) }

  /// `steps` times, descending, for a sampler whose last step yields the image itself.
  func timesBeforeImage(steps: Int) -> [Double] {
    steps == 1 ? [times.upperBound] : samplingTimes(steps: steps - 1)
  }
}
