/// The way back in time (Song et al., arXiv:2011.13456, equations 6 and 13).
struct ReverseSDE {
  let process: any DiffusionSDE

  /// dx/dt of the probability-flow equation, f·x − ½g²·score, with score = −ε/σ.
  func flow(_ x: DoubleTensor, _ estimate: Estimate, at times: [Double]) -> DoubleTensor {
    .sum([
      (times.map { process.drift(at: $0) }, x),
      (times.map { process.squaredDiffusion(at: $0) / (2 * process.marginal(at: $0).deviation) }, estimate.noise),
    ])
  }

  /// The drift of the reverse-time equation, f·x − g²·score.
  func drift(_ x: DoubleTensor, _ estimate: Estimate, at time: Double) -> DoubleTensor {
    .sum(
      (process.drift(at: time), x),
      (process.squaredDiffusion(at: time) / process.marginal(at: time).deviation, estimate.noise))
  }
}

/// What happens at the end of the way, where a little noise is left.
public enum Ending: String, Sendable, CaseIterable {
  /// The image that the denoiser sees in it, at the price of another evaluation (Song et al., arXiv:2011.13456,
  /// appendix G, "denoising"). What is shown.
  case denoised
  /// Nothing: the solution of the equation at the earliest time.
  case asIs
}

extension Evaluator {
  mutating func end(_ x: DoubleTensor, _ ending: Ending, at time: Double) throws -> DoubleTensor {
    ending == .denoised ? try estimate(x, at: time).original : x
  }
}
