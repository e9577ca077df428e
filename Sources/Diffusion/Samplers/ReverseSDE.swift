/// The reverse-time equations (Song et al., arXiv:2011.13456, equations 6 and 13).
extension ForwardProcess {
  /// dx/dt of the probability-flow equation, f·x − ½g²·score, with score = −ε/σ.
  func flow(_ x: DoubleTensor, _ estimate: Estimate, at times: [Double]) -> DoubleTensor {
    let halfRates = times.map { squaredDiffusion(at: $0) / (2 * marginal(at: $0).sigma) }
    return DoubleTensor(times.map(drift) * x + halfRates * estimate.noise)
  }

  /// The drift of the reverse-time equation, f·x − g²·score.
  func reverseDrift(_ x: DoubleTensor, _ estimate: Estimate, at time: Double) -> DoubleTensor {
    let rate = squaredDiffusion(at: time) / marginal(at: time).sigma
    return DoubleTensor(drift(at: time) * x + rate * estimate.noise)
  }
}

/// How sampling ends, at the earliest time, where a little noise is left.
package enum Ending: String, Sendable, CaseIterable {
  /// The denoiser's image estimate, which costs another evaluation (Song et al., arXiv:2011.13456, appendix G,
  /// "denoising"). Used for images that are shown.
  case denoised
  /// The solution of the equation at the earliest time, unchanged.
  case asIs
}

extension Evaluator {
  mutating func end(_ x: DoubleTensor, _ ending: Ending, at time: Double) throws -> DoubleTensor {
    ending == .denoised ? try estimate(x, at: time).original : x
  }
}
