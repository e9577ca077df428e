import Differentiation
import Diffusion
import Network

/// A network under training and its objective, as the data-parallel step sees them.
package protocol TrainingTask {
  var model: any TrainableNetwork { get }
  /// What draws the times and the noise of the images.
  var objective: TrainingObjective { get }

  /// The forward pass over a micro-batch.
  /// - Returns: the network's output, and its contribution to the global batch's loss with the gradient with respect to
  ///   the output.
  func forward(_ batch: NoisedImages, step: Int, firstSample: Int, on tape: Tape) -> (output: Variable, PartialLoss)
}
