import Glibc

/// dx = −½β(t)·x dt + √β(t) dw with β growing linearly over 0 ≤ t ≤ 1, the limit of the discrete process of Ho et al. for
/// ever more steps (Song et al., arXiv:2011.13456, equations 11, 25 and 33).
public struct VariancePreservingSDE: DiffusionSDE, Equatable {
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
    return Marginal(signal: exp(-integral / 2), deviation: (-expm1(-integral)).squareRoot())
  }

  /// x_T ~ N(0, I) (Song et al., appendix C).
  public func priorDeviation(at time: Double) -> Double { 1 }

  public func drift(at time: Double) -> Double { -rate.value(at: time) / 2 }
  public func squaredDiffusion(at time: Double) -> Double { rate.value(at: time) }

  /// In the range that networks for 1000 discrete steps know.
  public func networkTime(at time: Double) -> Double { 999 * time }
}

/// β(t) = first + t·(last − first).
struct LinearRate: Equatable {
  let first: Double
  let last: Double

  /// - Throws: `DiffusionError` unless 0 < first ≤ last.
  init(first: Double, last: Double) throws(DiffusionError) {
    guard first > 0, first.isFinite else {
      throw DiffusionError(key: "first", problem: "β(0) = \(first) must be positive")
    }
    guard last >= first, last.isFinite else {
      throw DiffusionError(key: "last", problem: "β(1) = \(last) must not be below β(0) = \(first)")
    }
    self.first = first
    self.last = last
  }

  func value(at time: Double) -> Double { first + time * (last - first) }
  /// ∫₀ᵗ β.
  func integral(to time: Double) -> Double { time * first + time * time * (last - first) / 2 }
}
