import Glibc

/// dx = σ(t)·√(2·ln(σ_max/σ_min)) dw with σ(t) = σ_min·(σ_max/σ_min)^t over 0 ≤ t ≤ 1: noise is added, and nothing taken
/// from the image (Song et al., arXiv:2011.13456, equations 9 and 30).
public struct VarianceExplodingSDE: DiffusionSDE, Equatable {
  public let least: Double
  public let most: Double

  /// - Parameters:
  ///   - least: σ_min.
  ///   - most: σ_max, about the largest distance between two images of the data set.
  /// - Throws: `DiffusionError` unless 0 < least < most.
  public init(least: Double = 0.01, most: Double = 50) throws(DiffusionError) {
    guard least > 0, least.isFinite else {
      throw DiffusionError(key: "sigma_min", problem: "σ_min = \(least) must be positive")
    }
    guard most > least, most.isFinite else {
      throw DiffusionError(key: "sigma_max", problem: "σ_max = \(most) must be above σ_min = \(least)")
    }
    self.least = least
    self.most = most
  }

  private var logarithmicRange: Double { log(most / least) }

  public var times: ClosedRange<Double> { 1e-5...1 }

  public func marginal(at time: Double) -> Marginal {
    Marginal(signal: 1, deviation: least * exp(time * logarithmicRange))
  }

  public func drift(at time: Double) -> Double { 0 }

  public func squaredDiffusion(at time: Double) -> Double {
    let deviation = marginal(at: time).deviation
    return 2 * deviation * deviation * logarithmicRange
  }

  /// In the range that networks for 1000 discrete steps know; a linear function of log σ.
  public func networkTime(at time: Double) -> Double { 999 * time }

  public func logarithmicNetworkTime(at time: Double) -> Double { log(least) + time * logarithmicRange }
}
