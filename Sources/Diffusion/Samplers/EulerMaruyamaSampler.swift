/// Equal steps of the reverse-time stochastic differential equation, x ← x − (f·x − g²·score)·h + g·√h·z (Song et al.,
/// arXiv:2011.13456, equation 6; the method is Euler's with noise).
package struct EulerMaruyamaSampler: Sampler {
  package let process: any ForwardProcess
  package let steps: Int
  package let ending: Ending

  /// - Throws: `DiffusionError` unless `steps` is positive.
  package init(process: any ForwardProcess, steps: Int, ending: Ending = .denoised) throws(DiffusionError) {
    try requireSteps(steps)
    self.process = process
    self.steps = steps
    self.ending = ending
  }

  package var stepCount: Int? { steps }

  package func sample(
    from latents: DoubleTensor, denoiser: some Denoiser, noise: SamplerNoise, progress: ((SamplerStep) -> Void)? = nil
  ) throws -> Samples {
    var evaluator = Evaluator(denoiser)
    var x = DoubleTensor(process.priorSigma * latents)
    let times = process.samplingTimes(steps: steps)
    for step in 0..<steps {
      let (time, h) = (times[step], times[step] - times[step + 1])
      let drift = process.reverseDrift(x, try evaluator.estimate(x, at: time), at: time)
      let added = (process.squaredDiffusion(at: time) * h).squareRoot()
      x = DoubleTensor(x - h * drift + added * noise.draw(like: x, step: step))
      progress?(SamplerStep(step + 1, x, process.marginal(at: times[step + 1])))
    }
    x = try evaluator.end(x, ending, at: times[steps])
    return Samples(images: x, evaluations: evaluator.evaluations)
  }
}
