import Failures

/// Training stopped because the loss, the gradient or a weight was not a finite number. All ranks throw this at the same
/// step, and no parameter was changed.
public struct NonFiniteError: JobEndingError, CustomStringConvertible {
  public let step: Int
  /// What is not finite.
  public let problem: String
  /// The newest checkpoint, written before the step.
  public var lastCheckpoint: String?

  public var exitStatus: ExitStatus { .notFinite }
  public var isKnownToAllRanks: Bool { true }

  public init(step: Int, problem: String, lastCheckpoint: String? = nil) {
    self.step = step
    self.problem = problem
    self.lastCheckpoint = lastCheckpoint
  }

  init(step: Int, loss: Double, gradientNorm: Double) {
    // Without the sign that a NaN may have.
    func text(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }
    self.init(step: step, problem: "loss \(text(loss)), gradient norm \(text(gradientNorm))")
  }

  public var description: String {
    let kept =
      lastCheckpoint.map { "the last good checkpoint is \($0)" } ?? "there is no checkpoint yet"
    return "training stopped at step \(step): \(problem); \(kept); "
      + "try a smaller training.learning_rate or a longer training.warmup_steps"
  }
}
