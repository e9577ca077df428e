/// The way back in time (Song et al., arXiv:2011.13456, equations 6 and 13).
struct ReverseSDE {
  let process: any ForwardProcess

  /// dx/dt of the probability-flow equation, f·x − ½g²·score, with score = −ε/σ.
  func flow(_ x: DoubleTensor, _ estimate: Estimate, at times: [Double]) -> DoubleTensor {
    let halfRates = times.map { process.squaredDiffusion(at: $0) / (2 * process.marginal(at: $0).sigma) }
    return DoubleTensor(times.map(process.drift) * x + halfRates * estimate.noise)
  }

  /// The drift of the reverse-time equation, f·x − g²·score.
  func drift(_ x: DoubleTensor, _ estimate: Estimate, at time: Double) -> DoubleTensor {
    let rate = process.squaredDiffusion(at: time) / process.marginal(at: time).sigma
    return DoubleTensor(process.drift(at: time) * x + rate * estimate.noise)
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
