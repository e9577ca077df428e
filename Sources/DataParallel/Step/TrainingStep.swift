import Differentiation
import Diffusion
import Kernels
import Tensors

/// Images of the global batch, and what is known of them.
public struct LabelledImages {
  /// [N, H, W, C].
  public let images: Tensor
  /// Their classes, nil where the network is not to know.
  public let classes: [Int?]

  public init(_ images: Tensor, classes: [Int?]) {
    self.images = images
    self.classes = classes
  }
}

/// What a training step found. Equal on all ranks.
public struct StepResult: Sendable, Equatable {
  /// Of the global batch, before the update.
  public let loss: Double
  /// Of the global batch's gradient, before clipping.
  public let gradientNorm: Double
  public let learningRate: Double
}

/// A step whose loss or gradient is not a finite number. All ranks throw it, and no parameter was changed.
public struct NonFiniteStep: Error {
  public let loss: Double
  public let gradientNorm: Double
}

/// Sees what a step computes, without changing it. Every call is made by all ranks.
public protocol StepObserver: AnyObject {
  /// - Parameters:
  ///   - images: of this rank's micro-batches, in order.
  ///   - noised: what the network sees of them.
  func didDraw(_ images: [Tensor], _ noised: [NoisedImages], step: Int, firstSample: Int) throws

  /// - Parameter gradients: an arena; the pieces that this rank owns are those of the global batch.
  func didAverage(_ gradients: UnsafeMutablePointer<Float>, loss: Double, step: Int, _ trainer: DataParallelTrainer)
    throws

  /// The parameters are new.
  func didUpdate(step: Int, _ trainer: DataParallelTrainer) throws
}

extension DataParallelTrainer {
  /// A training step: draws the noise of each of this rank's micro-batches, accumulates their gradients, averages these
  /// over all ranks, and updates the parameters and their averages. Collective.
  ///
  /// - Parameters:
  ///   - step: steps done before this one.
  ///   - observer: nil where nobody looks on.
  ///   - images: the samples of the global batch that are asked for.
  /// - Throws: `NonFiniteStep` on all ranks, and what `images`, the observer and MPI throw.
  public func step(
    _ step: Int, observer: (any StepObserver)? = nil, images: (_ samples: Range<Int>) throws -> LabelledImages
  ) throws -> StepResult {
    var losses: [Double] = []
    var (originals, inputs): ([Tensor], [NoisedImages]) = ([], [])
    for microBatch in localMicroBatches {
      let samples = samples(ofMicroBatch: microBatch)
      let original = try images(samples)
      // Images are read; noise and noisy images are written.
      let noised = profiler.measure(.noiseDrawing, Work(floats: 3 * original.images.count)) {
        task.draw(
          images: original.images, classes: original.classes, step: step, firstSample: samples.lowerBound,
          lossAware: lossAware, workers: workers)
      }
      losses.append(try accumulateGradients(noised, microBatch: microBatch, step: step))
      if observer != nil {
        originals.append(original.images)
        inputs.append(noised)
      }
    }
    let firstSample = samples(ofMicroBatch: localMicroBatches.lowerBound).lowerBound
    try observer?.didDraw(originals, inputs, step: step, firstSample: firstSample)

    let gradients = try averagedGradients()
    let loss = try totalLoss(losses)
    try noteLosses()
    let norm = try gradientNorm(gradients)
    guard loss.isFinite, norm.isFinite else { throw NonFiniteStep(loss: loss, gradientNorm: norm) }
    try observer?.didAverage(gradients, loss: loss, step: step, self)

    let learningRate = learningRate(step: step)
    try update(gradients: gradients, norm: norm, step: step)
    updateAverages(step: step)
    try observer?.didUpdate(step: step, self)
    return StepResult(loss: loss, gradientNorm: norm, learningRate: learningRate)
  }
}
