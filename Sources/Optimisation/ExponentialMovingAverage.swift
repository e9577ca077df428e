import MicroKernels
import RealModule
import Tensors

/// The exponential moving average of one shard of the parameters: a ← a + (1 − decay) · (θ − a) after each step. Images
/// are drawn with the average (Ho et al. 2020, appendix B). Each decay needs its own object.
///
/// With a ramp, the average forgets faster during the first steps, so that it does not retain the initial parameters:
/// its half-life is at most `rampup` times the number of steps done (`ema_rampup_ratio` in the published code of Karras
/// et al. 2022).
package final class ExponentialMovingAverage: Sendable {
  /// The decay per step after the ramp: the weight of the old average; in [0, 1].
  package let decay: Double
  /// The half-life divided by the number of steps done, during the ramp; above 0. nil for no ramp.
  package let rampup: Double?
  /// a. Checkpoints read and write it.
  package let average: FloatBuffer

  /// An average of zeros; call `start` before the first update.
  /// - Parameter count: the number of floats in the shard; whole blocks of `ParameterLayout.blockSize`.
  package init(decay: Double, rampup: Double? = nil, count: Int) {
    precondition((0...1).contains(decay), "the decay \(decay) must lie in [0, 1]")
    precondition(rampup.map { $0 > 0 } ?? true, "the ramp's half-life must be positive")
    self.decay = decay
    self.rampup = rampup
    average = FloatBuffer(repeating: 0, count: count)
  }

  /// Sets a part of the average to the parameters.
  /// - Parameters:
  ///   - part: which of the shard's floats; by default all of them.
  ///   - parameters: θ of the part.
  package func start(_ part: Range<Int>? = nil, parameters: Tensor) { average[part ?? 0..<count].copy(parameters) }

  /// The number of floats in the shard.
  package var count: Int { average.count }

  /// The weight of the old average in the step after `step` steps: `decay`, or the decay for the ramp's half-life
  /// `rampup` · `step` if that is smaller; the first step then keeps nothing. Depends only on the step.
  package func decay(atStep step: Int) -> Double {
    guard let rampup else { return decay }
    return min(decay, Double.pow(0.5, 1 / (rampup * Double(step))))
  }

  /// Moves a part of the average towards the parameters by one step.
  /// - Parameters:
  ///   - step: steps done before this one.
  ///   - part: which of the shard's floats, in whole blocks; by default all of them.
  ///   - parameters: θ of the part.
  package func update(_ part: Range<Int>? = nil, step: Int, parameters: Tensor, workers: WorkerPool) {
    let averages = average[part ?? 0..<count]
    verify(parameters.count == averages.count, "parameters of \(averages.count) floats")
    let weight = Vector(repeating: Float(1 - decay(atStep: step)))
    forEachPart(ofShard: averages.count, workers) { range in
      for index in stride(from: range.lowerBound, to: range.upperBound, by: vectorWidth) {
        let old: Vector = averages[vector: index]
        averages[vector: index] = old + weight * (parameters[vector: index] - old)
      }
    }
  }
}
