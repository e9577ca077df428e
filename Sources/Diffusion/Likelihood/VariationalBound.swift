import RealModule

/// The variational bound on −log p(x_0) of a discrete process, term by term (Ho, Jain, Abbeel, arXiv:2006.11239,
/// equations 3 and 5): L_T + Σ KL(q(x_{t−1} | x_t, x_0) ‖ p(x_{t−1} | x_t)) + L_0.
package struct VariationalBound: Sendable {
  package let process: DiscreteProcess
  package let variance: ReverseVariance
  /// Whether x̂_0 is clamped to [−1, 1], as when sampling.
  package let clipsOriginal: Bool

  package init(process: DiscreteProcess, variance: ReverseVariance, clipsOriginal: Bool = true) {
    self.process = process
    self.variance = variance
    self.clipsOriginal = clipsOriginal
  }

  /// L_T of each image in nats, KL(q(x_T | x_0) ‖ p(x_T)): how much of the image is left in x_T. Sampling starts from
  /// p.
  package func priorTerms(_ images: DoubleTensor) -> [Double] {
    (0..<images.imageCount).map { image in
      Self.priorTerm(images.elements[images.range(ofImage: image)], process)
    }
  }

  static func priorTerm(_ image: some Sequence<Double>, _ process: DiscreteProcess) -> Double {
    let last = process.marginals[process.steps - 1]
    let (logVariance, priorLogVariance) = (2 * Double.log(last.sigma), 2 * Double.log(process.priorSigma))
    return image.reduce(0.0) { sum, value in
      sum
        + BoundTerm.divergence(
          mean: last.signal * value, logVariance: logVariance, from: 0, modelLogVariance: priorLogVariance
        ).value
    }
  }

  /// The term of one step for each image, in nats: a Kullback–Leibler divergence, or at step 0 −log p(x_0 | x_1) of the
  /// 256 levels of x_0 (equation 13).
  ///
  /// - Parameters:
  ///   - images: x_0 in [−1, 1].
  ///   - x: x_t.
  ///   - estimate: the denoiser's estimate from x_t.
  package func terms(at step: Int, images: DoubleTensor, x: DoubleTensor, estimate: Estimate) -> [Double] {
    let boundStep = BoundStep(process, step: step)
    let original = estimate.original(clipped: clipsOriginal)
    return (0..<x.imageCount).map { image in
      x.range(ofImage: image).reduce(0.0) { sum, index in
        let logVariance = boundStep.bounds.logVariance(variance, output: estimate.variance?.elements[index])
        return sum
          + boundStep.term(
            original: images.elements[index], noisy: x.elements[index], estimate: original.elements[index],
            logVariance: logVariance
          ).value
      }
    }
  }
}
