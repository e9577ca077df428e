/// Solves the ordinary differential equation whose solutions have the same marginals as the process, from noise to image
/// (Song et al., arXiv:2011.13456, equation 13): dx/dt = f·x − ½g²·score. Images are a function of the latents.
package struct ProbabilityFlowSampler: Sampler {
  package enum Solver: Sendable {
    /// A fixed number of steps through the process's sampling times.
    case fixed(RungeKutta, steps: Int)
    /// Runge–Kutta 5(4) with steps chosen so that the error of each is at most absolute + relative·|x|.
    case adaptive(relative: Double, absolute: Double)
  }

  /// Of the adaptive solver, relative and absolute.
  package static let defaultTolerance = 1e-5

  package let process: any ForwardProcess
  package let solver: Solver
  package let ending: Ending

  /// - Throws: `DiffusionError` naming `steps` or `tolerance`.
  package init(process: any ForwardProcess, solver: Solver, ending: Ending = .denoised) throws(DiffusionError) {
    switch solver {
    case .fixed(_, let steps): try requireSteps(steps)
    case .adaptive(let relative, let absolute):
      for tolerance in [relative, absolute] { try requirePositive(tolerance, "tolerance") }
    }
    self.process = process
    self.solver = solver
    self.ending = ending
  }

  package var stepCount: Int? {
    if case .fixed(_, let steps) = solver { steps } else { nil }
  }

  package func sample(
    from latents: DoubleTensor, denoiser: some Denoiser, noise: SamplerNoise, progress: ((SamplerStep) -> Void)? = nil
  ) throws -> Samples {
    let start = DoubleTensor(process.priorSigma * latents)
    let (x, evaluations) = try follow(
      start, from: process.times.upperBound, to: process.times.lowerBound, denoiser: denoiser, progress: progress)
    var evaluator = Evaluator(denoiser)
    let images = try evaluator.end(x, ending, at: process.times.lowerBound)
    return Samples(images: images, evaluations: evaluations + evaluator.evaluations)
  }

  /// The inverse: from images at the process's earliest time to latents, which are standard normal for a good model.
  /// `sample(from:)` with the ending `asIs` returns the images.
  /// - Parameter images: x_0, [N, H, W, C].
  package func encode(
    _ images: DoubleTensor, denoiser: some Denoiser, progress: ((SamplerStep) -> Void)? = nil
  ) throws -> (latents: DoubleTensor, evaluations: Int) {
    let (x, evaluations) = try follow(
      images, from: process.times.lowerBound, to: process.times.upperBound, denoiser: denoiser, progress: progress)
    return (DoubleTensor(x / process.priorSigma), evaluations)
  }

  /// Solves from one end of the process's times to the other. The evaluations are the maximum over the images.
  private func follow(
    _ x: DoubleTensor, from start: Double, to end: Double, denoiser: some Denoiser,
    progress: ((SamplerStep) -> Void)?
  ) throws -> (x: DoubleTensor, evaluations: Int) {
    func velocity(_ x: DoubleTensor, _ times: [Double], _ images: [Int]) throws -> DoubleTensor {
      process.flow(x, try denoiser.estimate(x, at: times, images: images), at: times)
    }
    switch solver {
    case .fixed(let method, let steps):
      let descending = process.samplingTimes(steps: steps)
      let times = start > end ? descending : descending.reversed()
      let end = try method.solve(
        x, through: times, progress: { progress?(SamplerStep($0, $1, process.marginal(at: times[$0]))) }, velocity)
      return (end, steps * method.stageCount)
    case .adaptive(let relative, let absolute):
      let result = try AdaptiveSolver(relative: relative, absolute: absolute).solve(
        x, from: start, to: end, progress: { progress?(SamplerStep(percents: Int(100 * $0))) }, velocity)
      return (result.y, result.evaluations.max() ?? 0)
    }
  }
}
