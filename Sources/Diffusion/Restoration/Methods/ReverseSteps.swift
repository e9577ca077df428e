/// The steps from noise to image that ancestral sampling takes through a process, discrete or continuous.
struct ReverseSteps {
  struct Step {
    let time: Double
    /// From the time of the next step, or from the image, to this one.
    let transition: Transition
  }

  let steps: [Step]
  /// The reverse step's variance: `small` or `large`.
  let variance: ReverseVariance

  /// - Parameters:
  ///   - times: descending.
  ///   - variance: not learned.
  init(_ process: any ForwardProcess, times: [Double], variance: ReverseVariance) {
    precondition(!variance.isLearned, "a learned variance belongs to a discrete process")
    let marginals = times.map { process.marginal(at: $0) } + [.clean]
    steps = times.indices.map {
      Step(time: times[$0], transition: Transition(from: marginals[$0 + 1], to: marginals[$0]))
    }
    self.variance = variance
  }

  /// A draw of x_s given x_t and the estimate of the image.
  /// - Parameter z: nil for the last step, which adds no noise.
  func next(_ x: DoubleTensor, _ step: Step, original: DoubleTensor, adding z: DoubleTensor?) -> DoubleTensor {
    step.transition.draw(x, original: original, variance: variance, adding: z)
  }
}
