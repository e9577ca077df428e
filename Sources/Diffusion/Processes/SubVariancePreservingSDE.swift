import Glibc

/// dx = −½β(t)·x dt + √(β(t)·(1 − e^(−2∫β))) dw: the drift of the variance-preserving SDE with a variance that stays below
/// its (Song et al., arXiv:2011.13456, equations 28 and 29).
public struct SubVariancePreservingSDE: DiffusionSDE, Equatable {
  private let rate: LinearRate

  /// - Parameters:
  ///   - first: β(0).
  ///   - last: β(1).
  /// - Throws: `DiffusionError` unless 0 < first ≤ last.
  public init(first: Double = 0.1, last: Double = 20) throws(DiffusionError) {
    rate = try LinearRate(first: first, last: last)
  }

  public var times: ClosedRange<Double> { 1e-3...1 }
  public var trainingTimes: ClosedRange<Double> { 1e-5...1 }

  public func marginal(at time: Double) -> Marginal {
    let integral = rate.integral(to: time)
    return Marginal(signal: exp(-integral / 2), deviation: -expm1(-integral))
  }

  /// x_T ~ N(0, I) (Song et al., appendix C).
  public func priorDeviation(at time: Double) -> Double { 1 }

  public func drift(at time: Double) -> Double { -rate.value(at: time) / 2 }

  public func squaredDiffusion(at time: Double) -> Double {
    rate.value(at: time) * -expm1(-2 * rate.integral(to: time))
  }

  /// In the range that networks for 1000 discrete steps know.
  public func networkTime(at time: Double) -> Double { 999 * time }
}
