import Differentiation
import Diffusion
import Kernels
import Tensors

/// The result of a training step. Equal on all ranks.
package struct StepResult: Sendable, Equatable {
  /// The loss of the global batch, before the update.
  package let loss: Double
  /// The norm of the global batch's gradient, before clipping.
  package let gradientNorm: Double
  package let learningRate: Double
}

/// Observes a step without changing it. All ranks make every call.
package protocol StepObserver: AnyObject {
  /// - Parameter noised: the noised images of this rank's micro-batches, in order.
  func didDraw(_ noised: [NoisedImages], step: Int, firstSample: Int) throws

  /// - Parameter gradients: those of the global batch in the pieces that this rank owns.
  func didAverage(_ gradients: Arena, loss: Double, step: Int, _ trainer: DataParallelTrainer) throws

  /// Called after the parameters were updated.
  func didUpdate(step: Int, _ trainer: DataParallelTrainer) throws
}

extension DataParallelTrainer {
  /// A training step: draws noise for each of this rank's micro-batches, accumulates their gradients, averages these
  /// over all ranks, and updates the parameters and their averages. Collective.
  ///
  /// - Parameters:
  ///   - step: the number of steps done before this one.
  ///   - observer: nil for none.
  ///   - read: returns some samples of the global batch, with the conditions that the task's network takes.
  /// - Throws: `NonFiniteError` on all ranks, and the errors of `read`, the observer and MPI.
  package func step(
    _ step: Int, observer: (any StepObserver)? = nil,
    samples read: (_ samples: Range<Int>) throws -> TrainingSamples
  ) throws -> StepResult {
    var losses: [Double] = []
    var inputs: [NoisedImages] = []
    for microBatch in localMicroBatches {
      let samples = samples(ofMicroBatches: microBatch..<microBatch + 1)
      let original = try read(samples)
      // Images are read; noise and noisy images are written.
      let noised = profiler.measure(.noiseDrawing, Work(floats: 3 * original.images.count)) {
        task.objective.draw(
          images: original.images, conditions: original.conditions, seed: configuration.seed, step: step,
          firstSample: samples.lowerBound, lossAware: lossAware, workers: workers)
      }
      losses.append(try accumulateGradients(noised, microBatch: microBatch, step: step))
      if observer != nil { inputs.append(noised) }
    }
    try observer?.didDraw(inputs, step: step, firstSample: localSamples.lowerBound)

    let gradients = try averagedGradients()
    let loss = try totalLoss(losses)
    try noteLosses()
    let norm = try gradientNorm(gradients)
    guard loss.isFinite, norm.isFinite else { throw NonFiniteError(step: step + 1, loss: loss, gradientNorm: norm) }
    if let observer {
      try observer.didAverage(gradients, loss: loss, step: step, self)
      // The observers of other ranks may still read the parameters, which are about to change.
      try waitForNode()
    }

    let learningRate = learningRate(step: step)
    try update(gradients: gradients, norm: norm, step: step)
    updateAverages(step: step)
    try observer?.didUpdate(step: step, self)
    return StepResult(loss: loss, gradientNorm: norm, learningRate: learningRate)
  }
}
