import Differentiation
import Diffusion
import Network
import Tensors

/// A network under training and what it is trained for, as the data-parallel step sees them.
public protocol TrainingTask {
  var model: any TrainableNetwork { get }

  /// Noisy images, and what else the network is told; a function of the seed, the step and the samples' indices.
  /// - Parameters:
  ///   - images: [N, H, W, C], the samples `firstSample`, `firstSample` + 1 … of the global batch.
  ///   - classes: of the images, nil where the network is not to know.
  ///   - lossAware: what decides how often each step of a discrete process is drawn; nil for evenly.
  func draw(
    images: Tensor, classes: [Int?], step: Int, firstSample: Int, lossAware: LossAwareSteps?, workers: WorkerPool
  ) -> NoisedImages

  /// The forward pass over a micro-batch.
  /// - Returns: the network's output, and its part of the global batch's loss with the gradient with respect to it.
  func forward(_ batch: NoisedImages, step: Int, firstSample: Int, on tape: Tape) -> (output: Variable, PartialLoss)
}
