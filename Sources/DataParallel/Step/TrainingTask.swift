import Differentiation
import Diffusion
import Network
import Tensors

/// A network under training and its objective, as the data-parallel step sees them.
public protocol TrainingTask {
  var model: any TrainableNetwork { get }

  /// Noisy images with the network's other inputs; they depend only on the seed, the step and the samples' indices.
  /// - Parameters:
  ///   - images: [N, H, W, C], the samples `firstSample`, `firstSample` + 1 … of the global batch.
  ///   - classes: the classes of the images, nil if the network is not to be conditioned on one.
  ///   - lossAware: the distribution of the steps of a discrete process; nil for the uniform one.
  func draw(
    images: Tensor, classes: [Int?], step: Int, firstSample: Int, lossAware: LossAwareSteps?, workers: WorkerPool
  ) -> NoisedImages

  /// The forward pass over a micro-batch.
  /// - Returns: the network's output, and its contribution to the global batch's loss with the gradient with respect to
  ///   the output.
  func forward(_ batch: NoisedImages, step: Int, firstSample: Int, on tape: Tape) -> (output: Variable, PartialLoss)
}
