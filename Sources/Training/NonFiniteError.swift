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

  /// Without the sign that a NaN may have.
  private static func text(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }

  public var description: String {
    let kept =
      lastCheckpoint.map { "the last good checkpoint is \($0)" } ?? "there is no checkpoint yet"
    return "training stopped at step \(step): loss \(Self.text(loss)), gradient norm \(Self.text(gradientNorm)); "
      + "\(kept); try a smaller training.learning_rate or a longer training.warmup_steps"
  }
}
