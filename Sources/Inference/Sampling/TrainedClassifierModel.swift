import Checkpoints
import Configuration
import Diffusion
import Failures
import Network
import Reporting
import Tensors

/// A classifier of noisy images with the weights of a checkpoint.
struct TrainedClassifierModel {
  let configuration: RunConfiguration
  /// [H, W, C].
  let imageShape: [Int]
  let network: ClassifierNetwork
  let parameters: Arena

  /// Reads a checkpoint in this process alone.
  /// - Throws: `CheckpointError`, and `InputError` if it is not a classifier.
  init(reading path: String, weights: ModelRequest.Weights) throws {
    let checkpoint = try OpenCheckpoint(path)
    let details = checkpoint.details
    guard details.header.kind == .classifier, let classCount = details.header.classCount else {
      throw InputError("--classifier \(path): this is not a classifier; `ddpm-mpi train-classifier` trains one")
    }
    configuration = details.configuration
    imageShape = details.header.imageShape
    let shape = imageShape
    network = try ConfigurationError.found(in: path) {
      try details.configuration.classifier(
        height: shape[0], width: shape[1], channels: shape[2], classCount: classCount)
    }
    parameters = try checkpoint.parameters(in: details.group(of: weights), network.layout)
  }

  /// - Throws: `DiffusionError` unless it was trained on the model's process.
  func check(fits model: RunConfiguration, imageShape: [Int]) throws(DiffusionError) {
    guard imageShape == self.imageShape else {
      throw DiffusionError(
        key: "classifier",
        problem: "it is for images of \(ProgressFormat.dimensions(self.imageShape)), but the model is for "
          + ProgressFormat.dimensions(imageShape))
    }
    let decisive = [
      "diffusion.process", "diffusion.steps", "diffusion.schedule", "diffusion.beta_first", "diffusion.beta_last",
      "diffusion.zero_terminal_snr", "diffusion.sigma_min", "diffusion.sigma_max", "diffusion.rescale_times",
    ]
    for difference in configuration.difference(from: model) where decisive.contains(difference.key.name) {
      throw DiffusionError(
        key: "classifier",
        problem: "it was trained with \(difference.key.name)=\(difference.mine), but the model was trained with "
          + "\(difference.theirs); train one for the model's process")
    }
  }
}
