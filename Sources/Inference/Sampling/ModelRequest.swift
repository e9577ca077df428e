import Configuration

/// The trained model to use, and how.
package struct ModelRequest: Sendable {
  /// The weights of a checkpoint to use: `ema`, `model`, or the decay of an average, such as `0.9999`.
  package enum Weights: RawRepresentable, Sendable, Equatable {
    /// The moving average (the first of `training.ema_decays`).
    case ema
    /// The moving average with this decay.
    case average(decay: Double)
    /// The parameters after the last step.
    case model

    package init?(rawValue: String) {
      switch rawValue {
      case "ema": self = .ema
      case "model": self = .model
      default:
        guard let decay = Double(rawValue), (0..<1).contains(decay) else { return nil }
        self = .average(decay: decay)
      }
    }

    package var rawValue: String {
      switch self {
      case .ema: "ema"
      case .average(let decay): "\(decay)"
      case .model: "model"
      }
    }
  }

  /// A checkpoint, a run's folder or its folder of checkpoints.
  package var checkpoint: String
  package var weights = Weights.ema
  /// Sampling keys that override the checkpoint's configuration.
  package var keys: [KeyOption] = []
  /// The number of images that pass through the network together on a rank.
  package var batch = 32
  package var threads = 1

  package init(checkpoint: String) { self.checkpoint = checkpoint }
}
