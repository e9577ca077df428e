import Failures

/// Training stopped because the loss, the gradient or a weight was not a finite number. All ranks throw this at the same
/// step, and no parameter was changed.
package struct NonFiniteError: JobEndingError, CustomStringConvertible {
  package let step: Int
  /// What is not finite.
  package let problem: String
  /// The newest checkpoint, written before the step.
  package var lastCheckpoint: String?

  package var exitStatus: ExitStatus { .notFinite }
  package var isKnownToAllRanks: Bool { true }

  package init(step: Int, problem: String, lastCheckpoint: String? = nil) {
    self.step = step
    self.problem = problem
    self.lastCheckpoint = lastCheckpoint
  }

  init(step: Int, loss: Double, gradientNorm: Double) {
    // Without the sign that a NaN may have.
    func text(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }
    self.init(step: step, problem: "loss \(text(loss)), gradient norm \(text(gradientNorm))")
  }

  package var description: String {
    let kept =
      lastCheckpoint.map { "the last good checkpoint is \($0)" } ?? "there is no checkpoint yet"
    return "training stopped at step \(step): \(problem); \(kept); "
      + "try a smaller training.learning_rate or a longer training.warmup_steps"
  }
}
