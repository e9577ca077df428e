/// Training stopped because the loss or the gradient was not a finite number. All ranks see the same numbers, so all of
/// them throw this at the same step.
public struct NonFiniteError: JobEndingError, CustomStringConvertible {
  public let step: Int
  public let loss: Double
  public let gradientNorm: Double
  /// The newest checkpoint, written before the step.
  public let lastCheckpoint: String?

  public var exitStatus: ExitStatus { .notFinite }
  public var isKnownToAllRanks: Bool { true }

  public var description: String {
    let kept =
      lastCheckpoint.map { "the last good checkpoint is \($0)" } ?? "there is no checkpoint yet"
    return "training stopped at step \(step): loss \(loss), gradient norm \(gradientNorm); \(kept); "
      + "try a smaller training.learning_rate or a longer training.warmup_steps"
  }
}
