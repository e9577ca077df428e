import MicroKernels
import RealModule
import Tensors

/// The exponential moving average of one shard of the parameters: a ← a + (1 − decay) · (θ − a) after each step.
/// Images are drawn with the average (Ho et al. 2020, appendix B). Keep one of these for each decay.
///
/// With a ramp, the average forgets sooner while few steps are done, so that it does not keep the initial parameters: its
/// half-life is at most a share of these steps (`ema_rampup_ratio` in the published code of Karras et al. 2022).
public final class ExponentialMovingAverage: Sendable {
  /// The share of the average that is kept in a step, once the ramp is over; in [0, 1].
  public let decay: Double
  /// The half-life in units of the steps done, while the ramp lasts; above 0. Nil for no ramp.
  public let rampup: Double?
  /// a. Checkpoints read and write it.
  public let average: FloatBuffer

  /// An average of zeros, to be started by `start`.
  /// - Parameter count: floats in the shard; whole blocks of `ParameterLayout.blockSize`.
  public init(decay: Double, rampup: Double? = nil, count: Int) {
    precondition((0...1).contains(decay), "a decay of \(decay) is no share")
    precondition(rampup.map { $0 > 0 } ?? true, "a ramp without length")
    self.decay = decay
    self.rampup = rampup
    average = FloatBuffer(count: count)
    average.pointer.update(repeating: 0, count: count)
  }

  /// Sets a part of the average to the parameters.
  /// - Parameters:
  ///   - part: which of the shard's floats; by default all of them.
  ///   - parameters: θ, the part's first float.
  public func start(_ part: Range<Int>? = nil, parameters: UnsafePointer<Float>) {
    let part = part ?? 0..<count
    (average.pointer + part.lowerBound).update(from: parameters, count: part.count)
  }

  /// Floats in the shard.
  public var count: Int { average.count }

  /// The share of the average that the step after `step` steps keeps: `decay`, or that of the ramp's half-life
  /// `rampup` · `step` if this is less. The first step keeps nothing then. A function of the step alone.
  public func decay(atStep step: Int) -> Double {
    guard let rampup else { return decay }
    return min(decay, Double.pow(0.5, 1 / (rampup * Double(step))))
  }

  /// Moves a part of the average towards the parameters by one step.
  /// - Parameters:
  ///   - step: steps done before this one.
  ///   - part: which of the shard's floats, in whole blocks; by default all of them.
  ///   - parameters: θ, the part's first float; as many as it has are read.
  public func update(_ part: Range<Int>? = nil, step: Int, parameters: UnsafePointer<Float>, workers: WorkerPool) {
    let part = part ?? 0..<count
    precondition(part.lowerBound >= 0 && part.upperBound <= count, "the shard has no floats \(part)")
    let weight = Vector(repeating: Float(1 - decay(atStep: step)))
    let averages = average.pointer + part.lowerBound
    forEachPart(ofShard: part.count, workers) { range in
      var index = range.lowerBound
      while index < range.upperBound {
        let old = load16(averages + index)
        store16(old + weight * (load16(parameters + index) - old), averages + index)
        index += vectorWidth
      }
    }
  }
}
