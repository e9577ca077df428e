/// Adds the noise of a middle time to a guide and draws the way back (Meng, He, Song, Song, Wu, Zhu, Ermon: "SDEdit:
/// guided image synthesis and editing with stochastic differential equations", arXiv:2108.01073, algorithms 1 and 2).
/// The guide is A⁺·y; with `ChannelsOperator(allOf:)` it is an image itself. Results are like the data, and like the
/// guide where that has more than the noise; it is not a draw from the posterior, and y is not met. For Gaussian data it is
/// a draw of x_0 given the noisy guide; in 250 steps its covariance has an error of 1%.
package struct SDEdit: RestorationMethod {
  package let process: any ForwardProcess
  private let reverse: ReverseSteps
  package let clipsOriginal: Bool

  /// - Parameters:
  ///   - times: the times of sampling from noise, descending.
  ///   - strength: the share of them that is left after the noise is added: t_0, if the times are equally spaced. 1
  ///     keeps little of the guide.
  /// - Throws: `DiffusionError` naming `steps` or `strength`.
  package init(
    process: any ForwardProcess, times: [Double], strength: Double, clipsOriginal: Bool = true
  ) throws(DiffusionError) {
    try requireSteps(times.count)
    try require(strength > 0 && strength <= 1, "strength", "\(strength) must be above 0 and at most 1")
    self.process = process
    self.clipsOriginal = clipsOriginal
    let count = max(1, Int((strength * Double(times.count)).rounded()))
    reverse = ReverseSteps(process, times: times.suffix(count), variance: .large)
  }

  package var stepCount: Int? { reverse.steps.count }

  package func check(_ measurement: Measurement) throws(DiffusionError) {
    try measurement.forward.invertibleRowSquare()
  }

  package func restore(
    _ measurement: Measurement, from latents: DoubleTensor, denoiser: some DifferentiableDenoiser,
    noise: SamplerNoise, progress: ((SamplerStep) -> Void)? = nil
  ) throws -> Samples {
    try check(measurement)
    var evaluator = Evaluator(denoiser)
    let start = reverse.steps[0].transition.later
    let guide = try measurement.forward.pseudoInverse(measurement.values)
    var x = DoubleTensor(start.signal * guide + start.sigma * latents)
    for (index, step) in reverse.steps.enumerated() {
      let isLast = index == reverse.steps.count - 1
      let original = try evaluator.estimate(x, at: step.time).original(clipped: clipsOriginal)
      x = reverse.next(
        x, step, original: original, adding: isLast ? nil : noise.draw(like: x, step: index))
      progress?(SamplerStep(index + 1, x, step.transition.earlier))
    }
    return Samples(images: x, evaluations: evaluator.evaluations)
  }
}
