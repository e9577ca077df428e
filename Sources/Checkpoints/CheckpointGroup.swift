/// The names of the tensor groups in a checkpoint.
package enum CheckpointGroup {
  /// The weights.
  package static let model = "model"
  /// Adam's moments.
  package static let firstMoment = "optimizer/first_moment"
  package static let secondMoment = "optimizer/second_moment"
  /// The loss history that determines which time steps are drawn.
  package static let lossAwareSteps = "loss_aware_steps"

  /// The moving average with a given decay.
  package static func average(_ decay: Double) -> String { "ema/\(decay)" }
}
