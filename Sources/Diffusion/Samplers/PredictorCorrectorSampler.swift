/// A few steps of Langevin dynamics, then a step of the reverse process, at each of `steps` noise levels down to the
/// lowest (Song et al., arXiv:2011.13456, algorithms 2 to 5, in the order of their code). Without the predictor it is
/// annealed Langevin dynamics (Song, Ermon, arXiv:1907.05600, algorithm 1, with the step size of the later paper).
package struct PredictorCorrectorSampler: Sampler {
  package let process: any ForwardProcess
  package let steps: Int
  /// Langevin steps at each time.
  package let corrections: Int
  /// r, the ratio of noise to drift in a Langevin step.
  package let signalToNoise: Double
  package let predicts: Bool
  package let ending: Ending

  /// - Throws: `DiffusionError` naming `steps`, `corrections` or `snr`.
  package init(
    process: any ForwardProcess, steps: Int, corrections: Int = 1, signalToNoise: Double = 0.16, predicts: Bool = true,
    ending: Ending = .denoised
  ) throws(DiffusionError) {
    try requireSteps(steps)
    try require(
      corrections >= (predicts ? 0 : 1), "corrections", "\(corrections) Langevin steps are too few; give at least 1")
    try requirePositive(signalToNoise, "snr")
    self.process = process
    self.steps = steps
    self.corrections = corrections
    self.signalToNoise = signalToNoise
    self.predicts = predicts
    self.ending = ending
  }

  package var stepCount: Int? { steps }

  package func sample(
    from latents: DoubleTensor, denoiser: some Denoiser, noise: SamplerNoise, progress: ((SamplerStep) -> Void)? = nil
  ) throws -> Samples {
    var evaluator = Evaluator(denoiser)
    let times = process.timesBeforeImage(steps: steps)
    var x = DoubleTensor(process.priorSigma * latents)
    for (step, time) in times.enumerated() {
      let isLast = step == steps - 1
      let transition = Transition(
        from: isLast ? .clean : process.marginal(at: times[step + 1]), to: process.marginal(at: time))
      for correction in 0..<corrections {
        let z = noise.draw(like: x, step: step, detail: 1 + correction)
        x = try evaluator.estimate(x, at: time).langevinStep(
          x, sigma: transition.later.sigma, ratio: transition.ratio, signalToNoise: signalToNoise, z)
      }
      if isLast {
        // The predictor's last step without its noise is the denoiser's image estimate.
        x = try evaluator.end(x, ending, at: time)
      } else if predicts {
        let estimate = try evaluator.estimate(x, at: time)
        x = predict(x, estimate, transition, noise.draw(like: x, step: step))
      }
      progress?(SamplerStep(step + 1, x, predicts || isLast ? transition.earlier : transition.later))
    }
    return Samples(images: x, evaluations: evaluator.evaluations)
  }

  /// The reverse diffusion predictor: if x_t = a·x_s + b·z is the process's step from s to t, then x_s = (x_t +
  /// b²·score)/a + (b/a)·z (algorithms 2 and 3 for VE and VP, equation 46).
  private func predict(
    _ x: DoubleTensor, _ estimate: Estimate, _ transition: Transition, _ z: DoubleTensor
  ) -> DoubleTensor {
    let (a, variance, sigma) = (transition.ratio, transition.variance, transition.later.sigma)
    return DoubleTensor(x / a - variance / (a * sigma) * estimate.noise + variance.squareRoot() / a * z)
  }
}

extension Estimate {
  /// A Langevin step, x + e·score + √(2e)·z with e = 2·ratio²·(r·‖z‖ / ‖score‖)², with the norms of each image (Song et
  /// al., arXiv:2011.13456, algorithms 4 and 5).
  ///
  /// - Parameters:
  ///   - x: the images that this is the estimate of.
  ///   - sigma: the noise on them.
  ///   - ratio: the factor of the signal in a step of the process, √α_i of the discrete process: 1 for VE.
  ///   - signalToNoise: r.
  func langevinStep(
    _ x: DoubleTensor, sigma: Double, ratio: Double, signalToNoise: Double, _ z: DoubleTensor
  ) -> DoubleTensor {
    let (scores, noises) = (noise.imageNorms, z.imageNorms)
    let sizes = zip(scores, noises).map { score, noise in
      let share = score > 0 ? signalToNoise * noise * sigma / score : 0
      return 2 * ratio * ratio * share * share
    }
    return DoubleTensor(x - sizes * noise / sigma + sizes.map { (2 * $0).squareRoot() } * z)
  }
}
