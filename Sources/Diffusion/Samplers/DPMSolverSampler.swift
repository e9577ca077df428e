import RealModule

/// DPM-Solver++(2M) (Lu, Zhou, Bao, Chen, Li, Zhu: "DPM-Solver++", arXiv:2211.01095, algorithm 2): the linear part of
/// the probability-flow equation is solved exactly, the network's part by extrapolation from its last two image
/// estimates.
package struct DPMSolverSampler: Sampler {
  package let process: any ForwardProcess
  /// Descending. The network's image estimate at the last time is the result.
  package let times: [Double]
  package let clipsOriginal: Bool

  /// - Parameter times: the times at which the network is evaluated, descending.
  package init(process: any ForwardProcess, times: [Double], clipsOriginal: Bool = false) throws(DiffusionError) {
    try requireSteps(times.count)
    self.process = process
    self.times = times
    self.clipsOriginal = clipsOriginal
  }

  package var stepCount: Int? { times.count }

  package func sample(
    from latents: DoubleTensor, denoiser: some Denoiser, noise: SamplerNoise, progress: ((SamplerStep) -> Void)? = nil
  ) throws -> Samples {
    var evaluator = Evaluator(denoiser)
    var x = DoubleTensor(process.priorSigma(at: times[0]) * latents)
    var last: (original: DoubleTensor, h: Double)?
    for (step, time) in times.enumerated() {
      let original = try evaluator.estimate(x, at: time).original(clipped: clipsOriginal)
      if step == times.count - 1 {
        x = original
      } else {
        let (now, next) = (process.marginal(at: time), process.marginal(at: times[step + 1]))
        let h = next.halfLogSignalToNoise - now.halfLogSignalToNoise
        // D of the paper, from the last two image estimates.
        var d = original.combination
        if let last {
          let share = h / (2 * last.h)
          d = (1 + share) * original - share * last.original
        }
        x = DoubleTensor(next.sigma / now.sigma * x - next.signal * Double.expMinusOne(-h) * d)
        last = (original, h)
      }
      progress?(SamplerStep(step + 1, x, step == times.count - 1 ? .clean : process.marginal(at: times[step + 1])))
    }
    return Samples(images: x, evaluations: evaluator.evaluations)
  }
}
