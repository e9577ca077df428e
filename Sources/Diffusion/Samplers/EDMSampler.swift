/// Heun's method with noise added and removed in each step (Karras, Aittala, Aila, Laine, arXiv:2206.00364, algorithm
/// 2). It solves for x/α with noise σ/α, so it works with any process.
package struct EDMSampler: Sampler {
  /// How much noise is added; none by default, which gives Heun's method.
  package struct Churn: Sendable, Equatable {
    package var amount = 0.0
    package var minimum = 0.0
    package var maximum = Double.infinity
    /// S_noise, the factor of the added noise's standard deviation.
    package var inflation = 1.0

    package init() {}
  }

  package let process: any ForwardProcess
  package let steps: Int
  package let churn: Churn
  /// ρ of the noise levels, as in the paper; a larger value makes steps denser at low noise.
  private static let rho = 7.0

  /// - Throws: `DiffusionError` naming `steps`, `churn`, `churn_min` or `churn_noise`.
  package init(process: any ForwardProcess, steps: Int, churn: Churn = Churn()) throws(DiffusionError) {
    try requireSteps(steps)
    try require(
      churn.amount >= 0 && churn.amount.isFinite, "churn", "\(churn.amount) must be finite and not negative")
    try require(
      churn.minimum >= 0 && churn.maximum >= churn.minimum, "churn_min",
      "\(churn.minimum) must not be negative or above the maximum level, \(churn.maximum)")
    try requirePositive(churn.inflation, "churn_noise")
    self.process = process
    self.steps = steps
    self.churn = churn
  }

  package var stepCount: Int? { steps }

  /// σ_i/α_i (equation 5), and 0 at the end.
  var levels: [Double] {
    let maximum = process.marginal(at: process.times.upperBound).noiseToSignal
    let minimum = process.marginal(at: process.times.lowerBound).noiseToSignal
    var levels = descendingLevels(from: maximum, to: minimum, steps: steps - 1, rho: Self.rho)
    // Set exactly, since the power of the root is rounded.
    levels[0] = maximum
    return levels + [0]
  }

  package func sample(
    from latents: DoubleTensor, denoiser: some Denoiser, noise: SamplerNoise, progress: ((SamplerStep) -> Void)? = nil
  ) throws -> Samples {
    var evaluator = Evaluator(denoiser)
    let levels = levels
    var x = DoubleTensor(levels[0] * latents)
    for step in 0..<steps {
      let gamma =
        levels[step] >= churn.minimum && levels[step] <= churn.maximum
        ? min(churn.amount / Double(steps), 2.0.squareRoot() - 1) : 0
      // The level stays within the process's range, which the network was trained on; so nothing is added at the first
      // step.
      let level = min(levels[step] * (1 + gamma), levels[0])
      if level > levels[step] {
        let added = churn.inflation * (level * level - levels[step] * levels[step]).squareRoot()
        x = DoubleTensor(x + added * noise.draw(like: x, step: step))
      }
      let h = levels[step + 1] - level
      let d = try slope(x, level, &evaluator)
      var next = DoubleTensor(x + h * d)
      if levels[step + 1] > 0 {
        let dNext = try slope(next, levels[step + 1], &evaluator)
        next = DoubleTensor(x + h * (0.5 * d + 0.5 * dNext))
      }
      x = next
      progress?(SamplerStep(step + 1, x, Marginal(signal: 1, sigma: levels[step + 1])))
    }
    return Samples(images: x, evaluations: evaluator.evaluations)
  }

  /// d(x/α)/d(σ/α), which is ε̂.
  private func slope<D>(_ x: DoubleTensor, _ level: Double, _ evaluator: inout Evaluator<D>) throws -> DoubleTensor {
    let time = process.time(atLevel: level)
    return try evaluator.estimate(DoubleTensor(process.marginal(at: time).signal * x), at: time).noise
  }
}

extension ForwardProcess {
  /// The time at which σ/α has this value; the ratio grows with time.
  func time(atLevel level: Double) -> Double {
    func value(_ time: Double) -> Double { marginal(at: time).noiseToSignal }
    var (low, high) = (times.lowerBound, times.upperBound)
    if level <= value(low) { return low }
    if level >= value(high) { return high }
    // Doubles have 53 bits of precision, so more bisections would change nothing.
    for _ in 0..<80 {
      let middle = (low + high) / 2
      if middle <= low || middle >= high { break }
      if value(middle) < level { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}
