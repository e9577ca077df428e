/// The learning rate of every step: η · min(1, step / warmupSteps), as the published code of Ho et al. 2020 has it.
public struct LearningRateSchedule: Sendable, Equatable {
  /// η, the rate after the warm-up.
  public let learningRate: Double
  /// Steps over which the rate grows to η; 0 for none.
  public let warmupSteps: Int

  public init(learningRate: Double, warmupSteps: Int) {
    precondition(warmupSteps >= 0, "\(warmupSteps) steps of warm-up")
    self.learningRate = learningRate
    self.warmupSteps = warmupSteps
  }

  /// The rate of one step.
  /// - Parameter step: counted from 1, as `Adam.update` counts; the first step's rate is η / warmupSteps, not 0.
  public func rate(atStep step: Int) -> Double {
    precondition(step >= 1, "steps are counted from 1")
    if step >= warmupSteps { return learningRate }
    return learningRate * Double(step) / Double(warmupSteps)
  }
}
