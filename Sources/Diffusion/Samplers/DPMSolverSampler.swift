import Glibc

/// DPM-Solver++(2M) (Lu, Zhou, Bao, Chen, Li, Zhu: "DPM-Solver++", arXiv:2211.01095, algorithm 2): the linear part of the
/// probability-flow equation is solved exactly, the network's by extrapolation from the last two of its images.
public struct DPMSolverSampler: Sampler {
  public let process: any ForwardProcess
  /// Descending. After the last the image that the network sees is the result.
  public let times: [Double]
  public let clipsOriginal: Bool

  /// - Parameter times: the times to look at the image, descending.
  public init(process: any ForwardProcess, times: [Double], clipsOriginal: Bool = false) throws(DiffusionError) {
    try requireSteps(times.count)
    self.process = process
    self.times = times
    self.clipsOriginal = clipsOriginal
  }

  public var stepCount: Int? { times.count }

  public func sample(
    from latents: DoubleTensor, denoiser: some Denoiser, noise: SamplerNoise, progress: ((SamplerStep) -> Void)? = nil
  ) throws -> Samples {
    var evaluator = Evaluator(denoiser)
    var x = DoubleTensor.sum((process.priorDeviation(at: times[0]), latents))
    var last: (original: DoubleTensor, length: Double)?
    for (step, time) in times.enumerated() {
      let estimate = try evaluator.estimate(x, at: time).original
      let original = clipsOriginal ? estimate.clamped(to: -1...1) : estimate
      if step == times.count - 1 {
        x = original
      } else {
        let (now, next) = (process.marginal(at: time), process.marginal(at: times[step + 1]))
        let length = next.halfLogSignalToNoise - now.halfLogSignalToNoise
        let kept = next.deviation / now.deviation
        let factor = -next.signal * expm1(-length)
        if let last {
          let extrapolation = length / (2 * last.length)
          x = .sum(
            (kept, x), (factor * (1 + extrapolation), original), (-factor * extrapolation, last.original))
        } else {
          x = .sum((kept, x), (factor, original))
        }
        last = (original, length)
      }
      progress?(SamplerStep(step + 1, x, step == times.count - 1 ? .clean : process.marginal(at: times[step + 1])))
    }
    return Samples(images: x, evaluations: evaluator.evaluations)
  }
}
