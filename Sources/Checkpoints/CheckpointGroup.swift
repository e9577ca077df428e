/// What the groups of tensors in a checkpoint are called.
public enum CheckpointGroup {
  /// The weights.
  public static let model = "model"
  /// Adam's moments.
  public static let firstMoment = "optimizer/first_moment"
  public static let secondMoment = "optimizer/second_moment"
  /// What decides which steps training draws.
  public static let lossAwareSteps = "loss_aware_steps"

  /// The moving average of a decay.
  public static func average(_ decay: Double) -> String { "ema/\(decay)" }
}
