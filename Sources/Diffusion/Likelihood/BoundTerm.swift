import RealModule

/// One element's contribution to a term of the variational bound, in nats, with its derivatives with respect to the
/// mean and the log-variance of the model's reverse step.
struct BoundTerm: Equatable {
  let value: Double
  let byMean: Double
  let byLogVariance: Double

  /// KL(N(m₁, v₁) ‖ N(m₂, v₂)), where the second distribution is the model's.
  static func divergence(
    mean: Double, logVariance: Double, from model: Double, modelLogVariance: Double
  ) -> BoundTerm {
    let precision = Double.exp(-modelLogVariance)
    let ratio = Double.exp(logVariance - modelLogVariance)
    let difference = model - mean
    let square = difference * difference * precision
    return BoundTerm(
      value: (modelLogVariance - logVariance + ratio + square - 1) / 2, byMean: difference * precision,
      byLogVariance: (1 - ratio - square) / 2)
  }

  /// −log of the probability that N(mean, σ²) assigns to the interval of width 2/255 around x; the outermost intervals
  /// extend to infinity (Ho, Jain, Abbeel, arXiv:2006.11239, equation 13).
  static func negativeLogLikelihood(of x: Double, mean: Double, logVariance: Double) -> BoundTerm {
    let scale = Double.exp(-logVariance / 2)
    // An infinite edge contributes nothing.
    let (isLowest, isHighest) = (x < -0.999, x > 0.999)
    let (upper, lower) = ((x - mean + 1 / 255) * scale, (x - mean - 1 / 255) * scale)
    let probability: Double
    if isLowest {
      probability = cumulative(upper)
    } else if isHighest {
      probability = cumulative(-lower)
    } else {
      // Computed in the tail where both values are small, so that no precision is lost in their difference.
      probability = lower > 0 ? cumulative(-lower) - cumulative(-upper) : cumulative(upper) - cumulative(lower)
    }
    guard probability > 1e-300 else {
      // Beyond the range of doubles, the density at the nearer edge stands for the probability.
      let nearer = isLowest ? upper : isHighest ? lower : abs(upper) < abs(lower) ? upper : lower
      let distance = max(abs(nearer), 1)
      let slope = nearer + 1 / (nearer < 0 ? -distance : distance)
      return BoundTerm(
        value: nearer * nearer / 2 + .log(distance) + .log(2 * .pi) / 2, byMean: -scale * slope,
        byLogVariance: -nearer * slope / 2)
    }
    let (upperDensity, lowerDensity) = (isHighest ? 0 : density(upper), isLowest ? 0 : density(lower))
    return BoundTerm(
      value: -Double.log(probability), byMean: scale * (upperDensity - lowerDensity) / probability,
      byLogVariance: (upper * upperDensity - lower * lowerDensity) / (2 * probability))
  }

  private static func cumulative(_ x: Double) -> Double { .erfc(-x / 2.0.squareRoot()) / 2 }

  private static func density(_ x: Double) -> Double { .exp(-x * x / 2) / (2 * Double.pi).squareRoot() }
}

/// One step's term of the bound as a function of the model's output: a Kullback–Leibler divergence, or at the first
/// step the negative log-likelihood of the image.
struct BoundStep {
  let posterior: Transition.Posterior
  let bounds: LogVarianceBounds
  private let trueLogVariance: Double
  private let isFirst: Bool

  init(_ process: DiscreteProcess, step: Int) {
    posterior = process.transition(to: step).posterior
    bounds = LogVarianceBounds(process, step: step)
    isFirst = step == 0
    trueLogVariance = isFirst ? 0 : .log(posterior.variance)
  }

  /// - Parameters:
  ///   - original: an element of x_0.
  ///   - noisy: the same of x_t.
  ///   - estimate: the same of x̂_0.
  ///   - logVariance: the model's.
  /// - Returns: the term, and its derivatives with respect to the model's mean and log-variance.
  func term(original: Double, noisy: Double, estimate: Double, logVariance: Double) -> BoundTerm {
    let mean = posterior.original * estimate + posterior.noisy * noisy
    if isFirst { return .negativeLogLikelihood(of: original, mean: mean, logVariance: logVariance) }
    return .divergence(
      mean: posterior.original * original + posterior.noisy * noisy, logVariance: trueLogVariance, from: mean,
      modelLogVariance: logVariance)
  }
}
