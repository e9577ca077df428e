/// The names of the tensor groups in a checkpoint.
public enum CheckpointGroup {
  /// The weights.
  public static let model = "model"
  /// Adam's moments.
  public static let firstMoment = "optimizer/first_moment"
  public static let secondMoment = "optimizer/second_moment"
  /// The loss history that determines which time steps are drawn.
  public static let lossAwareSteps = "loss_aware_steps"

  /// The moving average with a given decay.
  public static func average(_ decay: Double) -> String { "ema/\(decay)" }
}
