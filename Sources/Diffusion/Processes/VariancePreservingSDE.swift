import RealModule

/// dx = −½β(t)·x dt + g(t) dw with β growing linearly over 0 ≤ t ≤ 1 (Song et al., arXiv:2011.13456): the
/// variance-preserving process and the sub-variance-preserving one, which differ in g alone.
package struct VariancePreservingSDE: ForwardProcess, Equatable {
  package enum Family: Sendable {
    /// g² = β: α² + σ² = 1, the limit of the discrete process of Ho et al. as the number of steps grows (equations 11,
    /// 25 and 33).
    case variancePreserving
    /// g² = β·(1 − e^(−2∫β)): the variance stays below that of the variance-preserving process (equations 28 and 29).
    case subVariancePreserving
  }

  package let family: Family
  /// β(0) and β(1).
  private let (first, last): (Double, Double)

  /// - Parameters:
  ///   - first: β(0).
  ///   - last: β(1).
  /// - Throws: `DiffusionError` unless 0 < first ≤ last.
  package init(
    _ family: Family = .variancePreserving, first: Double = 0.1, last: Double = 20
  ) throws(DiffusionError) {
    try require(first > 0 && first.isFinite, "first", "β(0) = \(first) must be positive")
    try require(last >= first && last.isFinite, "last", "β(1) = \(last) must not be below β(0) = \(first)")
    self.family = family
    (self.first, self.last) = (first, last)
  }

  package var times: ClosedRange<Double> { 1e-3...1 }
  package var trainingTimes: ClosedRange<Double> { 1e-5...1 }

  /// β(t) = first + t·(last − first).
  private func beta(at time: Double) -> Double { first + time * (last - first) }
  /// ∫₀ᵗ β.
  private func betaIntegral(to time: Double) -> Double { time * first + time * time * (last - first) / 2 }

  package func marginal(at time: Double) -> Marginal {
    let integral = betaIntegral(to: time)
    let variance = -Double.expMinusOne(-integral)
    return Marginal(
      signal: .exp(-integral / 2), sigma: family == .variancePreserving ? variance.squareRoot() : variance)
  }

  /// x_T ~ N(0, I) (Song et al., appendix C).
  package func priorSigma(at time: Double) -> Double { 1 }

  package func drift(at time: Double) -> Double { -beta(at: time) / 2 }

  package func squaredDiffusion(at time: Double) -> Double {
    switch family {
    case .variancePreserving: beta(at: time)
    case .subVariancePreserving: beta(at: time) * -Double.expMinusOne(-2 * betaIntegral(to: time))
    }
  }

  /// √(1 − β/N) and β/N for the variance-preserving process, Euler's method for the other one.
  package func chain(steps: Int) -> [ChainLink] {
    let (times, h) = (timesBeforeImage(steps: steps), 1 / Double(steps))
    switch family {
    case .variancePreserving:
      return zip(times, timesOfRates(steps: steps)).map { time, timeOfRate in
        let variance = squaredDiffusion(at: timeOfRate) * h
        return ChainLink(
          time: time, marginal: marginal(at: time), ratio: max(0, 1 - variance).squareRoot(), variance: variance)
      }
    case .subVariancePreserving:
      return times.map { time in
        ChainLink(
          time: time, marginal: marginal(at: time), ratio: 1 + drift(at: time) * h,
          variance: squaredDiffusion(at: time) * h)
      }
    }
  }

  /// In the range of networks for 1000 discrete steps.
  package func networkTime(at time: Double) -> Double { 999 * time }
}
