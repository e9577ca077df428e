import Glibc

/// The variational bound on −log p(x_0) of a discrete process, term by term (Ho, Jain, Abbeel, arXiv:2006.11239,
/// equations 3 and 5): L_T + Σ KL(q(x_{t−1} | x_t, x_0) ‖ p(x_{t−1} | x_t)) + L_0.
public struct VariationalBound: Sendable {
  public let process: DiscreteProcess
  public let variance: AncestralSampler.Variance
  /// Whether x̂_0 is kept within [−1, 1], as when sampling.
  public let clipsOriginal: Bool

  public init(process: DiscreteProcess, variance: AncestralSampler.Variance, clipsOriginal: Bool = true) {
    self.process = process
    self.variance = variance
    self.clipsOriginal = clipsOriginal
  }

  /// L_T of each image in nats: how much of it is left in x_T, KL(q(x_T | x_0) ‖ p(x_T)), where sampling starts with p.
  public func priorTerms(_ images: DoubleTensor) -> [Double] {
    let last = process.marginals[process.steps - 1]
    let (logVariance, priorLogVariance) = (2 * log(last.deviation), 2 * log(process.priorDeviation))
    return (0..<images.imageCount).map { image in
      images.range(ofImage: image).reduce(0.0) { sum, index in
        sum
          + Self.divergence(
            mean: last.signal * images.elements[index], logVariance: logVariance, from: 0,
            otherLogVariance: priorLogVariance)
      }
    }
  }

  /// The term of one step for each image, in nats: a Kullback–Leibler divergence, or at step 0 −log p(x_0 | x_1) of the
  /// 256 levels of x_0 (equation 13).
  ///
  /// - Parameters:
  ///   - images: x_0 in [−1, 1].
  ///   - x: x_t.
  ///   - estimate: the denoiser's of x_t.
  public func terms(at step: Int, images: DoubleTensor, x: DoubleTensor, estimate: Estimate) -> [Double] {
    let transition = process.transition(to: step)
    let posterior = transition.posterior
    let original = clipsOriginal ? estimate.original.clamped(to: -1...1) : estimate.original
    let logVariances = logVariances(transition, estimate, count: x.elements.count, step: step)
    let trueLogVariance = posterior.variance > 0 ? log(posterior.variance) : 0
    return (0..<x.imageCount).map { image in
      x.range(ofImage: image).reduce(0.0) { sum, index in
        let mean = posterior.original * original.elements[index] + posterior.noisy * x.elements[index]
        let logVariance = logVariances(index)
        if step == 0 {
          return sum
            - Self.discretisedLogLikelihood(
              images.elements[index], mean: mean, logDeviation: logVariance / 2)
        }
        let trueMean = posterior.original * images.elements[index] + posterior.noisy * x.elements[index]
        return sum
          + Self.divergence(
            mean: trueMean, logVariance: trueLogVariance, from: mean, otherLogVariance: logVariance)
      }
    }
  }

  private func logVariances(
    _ transition: Transition, _ estimate: Estimate, count: Int, step: Int
  ) -> (Int) -> Double {
    switch variance {
    case .large: return { _ in log(transition.variance) }
    case .small:
      // Step 0 has none; it takes the next step's, as Ho et al.'s program does.
      let small =
        step == 0 && process.steps > 1 ? process.transition(to: 1).posterior.variance : transition.posterior.variance
      let logVariance = log(small > 0 ? small : transition.variance)
      return { _ in logVariance }
    case .learned, .learnedRange:
      let bound = process.steps > 1 ? process.transition(to: 1).posterior.variance : nil
      let values = ReverseVariance.logarithms(estimate.variance, transition, firstStepBound: bound)
      return { values[$0] }
    }
  }

  /// KL(N(m₁, v₁) ‖ N(m₂, v₂)).
  static func divergence(mean: Double, logVariance: Double, from other: Double, otherLogVariance: Double) -> Double {
    let difference = mean - other
    return
      (otherLogVariance - logVariance + exp(logVariance - otherLogVariance)
      + difference * difference * exp(-otherLogVariance) - 1) / 2
  }

  /// log of what N(mean, deviation²) gives to the 255th part of [−1, 1] around x; the outermost reach to infinity.
  static func discretisedLogLikelihood(_ x: Double, mean: Double, logDeviation: Double) -> Double {
    let scale = exp(-logDeviation)
    let (upper, lower) = ((x - mean + 1 / 255) * scale, (x - mean - 1 / 255) * scale)
    let probability: Double
    if x < -0.999 {
      probability = cumulative(upper)
    } else if x > 0.999 {
      probability = cumulative(-lower)
    } else {
      // In the tail where both are small, so that their difference is exact.
      probability = lower > 0 ? cumulative(-lower) - cumulative(-upper) : cumulative(upper) - cumulative(lower)
    }
    // Farther out than doubles reach, the density at the nearer edge stands for the probability.
    if probability > 1e-300 { return log(probability) }
    let nearer = min(abs(upper), abs(lower))
    return -nearer * nearer / 2 - log(max(nearer, 1)) - log(2 * Double.pi) / 2
  }

  private static func cumulative(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }
}
