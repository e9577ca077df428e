import RealModule

/// The learning rate of every step: it grows linearly to η during warm-up, as in the published code of Ho et al. 2020,
/// stays there until the decay starts, and then follows `decay`.
package struct LearningRateSchedule: Sendable, Equatable {
  /// The shape of the decay. p is the completed fraction of the steps from the start of the decay to the end.
  package enum Decay: String, Sendable, CaseIterable {
    /// No decay.
    case constant
    /// η · (1 + cos(π·p)) / 2 (Loshchilov, Hutter: "SGDR", arXiv:1608.03983, equation 5, without restarts).
    case cosine
    /// η · (1 − p).
    case linear
    /// η · √(t_ref / t) after t steps, where t_ref is the step at which the decay starts (Karras et al.: "Analyzing and
    /// improving the training dynamics of diffusion models", arXiv:2312.02696, equation 67).
    case inverseSquareRoot = "inverse-sqrt"

    /// Whether the rates depend on the total number of steps.
    package var endsWithTheRun: Bool { self == .cosine || self == .linear }
  }

  /// η, the rate after the warm-up.
  package let learningRate: Double
  /// The number of steps during which the rate grows to η; 0 for none.
  package let warmupSteps: Int
  package let decay: Decay
  /// The number of steps done when the rate starts to fall.
  package let decayStart: Int
  /// The number of steps of the whole run.
  package let steps: Int

  /// - Parameter decayStart: nil for the end of the warm-up.
  package init(
    learningRate: Double, warmupSteps: Int, decay: Decay = .constant, decayStart: Int? = nil, steps: Int = .max
  ) {
    precondition(warmupSteps >= 0, "the number of warm-up steps, \(warmupSteps), must not be negative")
    self.learningRate = learningRate
    self.warmupSteps = warmupSteps
    self.decay = decay
    self.decayStart = decayStart ?? warmupSteps
    self.steps = steps
  }

  /// The learning rate of one step.
  /// - Parameter step: counted from 1, as `Adam.update` counts; the first step's rate is η / warmupSteps, not 0, and the
  ///   last one's is above 0.
  package func rate(atStep step: Int) -> Double {
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
