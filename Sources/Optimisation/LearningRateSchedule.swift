import RealModule

/// The learning rate of every step: it grows linearly over the warm-up to η, as the published code of Ho et al. 2020 has
/// it, stays there until the decay begins, and then does what `decay` says.
public struct LearningRateSchedule: Sendable, Equatable {
  /// How the rate falls after the step where its decay begins. With p the share of the steps from there on that are done:
  public enum Decay: String, Sendable, CaseIterable {
    /// Not at all.
    case constant
    /// η · (1 + cos(π·p)) / 2 (Loshchilov, Hutter: "SGDR", arXiv:1608.03983, equation 5, without restarts).
    case cosine
    /// η · (1 − p).
    case linear
    /// η · √(t_ref / t) after t steps, where t_ref is where the decay begins (Karras et al.: "Analyzing and improving the
    /// training dynamics of diffusion models", arXiv:2312.02696, equation 67).
    case inverseSquareRoot = "inverse-sqrt"

    /// Whether the rates depend on how many steps there are.
    public var endsWithTheRun: Bool { self == .cosine || self == .linear }
  }

  /// η, the rate after the warm-up.
  public let learningRate: Double
  /// Steps over which the rate grows to η; 0 for none.
  public let warmupSteps: Int
  public let decay: Decay
  /// Steps that are done when the rate begins to fall.
  public let decayStart: Int
  /// Steps of the whole run.
  public let steps: Int

  /// - Parameter decayStart: nil for the end of the warm-up.
  public init(
    learningRate: Double, warmupSteps: Int, decay: Decay = .constant, decayStart: Int? = nil, steps: Int = .max
  ) {
    precondition(warmupSteps >= 0, "\(warmupSteps) steps of warm-up")
    self.learningRate = learningRate
    self.warmupSteps = warmupSteps
    self.decay = decay
    self.decayStart = decayStart ?? warmupSteps
    self.steps = steps
  }

  /// The rate of one step.
  /// - Parameter step: counted from 1, as `Adam.update` counts; the first step's rate is η / warmupSteps, not 0, and the
  ///   last one's is above 0.
  public func rate(atStep step: Int) -> Double {
    precondition(step >= 1, "steps are counted from 1")
    if step < warmupSteps { return learningRate * Double(step) / Double(warmupSteps) }
    let done = step - 1
    guard done > decayStart else { return learningRate }
    switch decay {
    case .constant: return learningRate
    case .cosine: return learningRate * 0.5 * (1 + Double.cos(.pi * share(done)))
    case .linear: return learningRate * (1 - share(done))
    case .inverseSquareRoot: return learningRate * (Double(max(decayStart, 1)) / Double(done)).squareRoot()
    }
  }

  private func share(_ done: Int) -> Double { min(1, Double(done - decayStart) / Double(steps - decayStart)) }
}
