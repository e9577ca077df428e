/// Equal steps of the reverse-time stochastic differential equation, x ← x − (f·x − g²·score)·h + g·√h·z (Song et al.,
/// arXiv:2011.13456, equation 6; the method is Euler's with noise).
public struct EulerMaruyamaSampler: Sampler {
  public let process: any ForwardProcess
  public let steps: Int
  public let ending: Ending

  /// - Throws: `DiffusionError` unless `steps` is positive.
  public init(process: any ForwardProcess, steps: Int, ending: Ending = .denoised) throws(DiffusionError) {
    try requireSteps(steps)
    self.process = process
    self.steps = steps
    self.ending = ending
  }

  public var stepCount: Int? { steps }

  public func sample(
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
