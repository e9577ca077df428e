import Tensors

/// The exponential moving average of one shard of the parameters: a ← a + (1 − decay) · (θ − a) after each step.
/// Images are drawn with the average (Ho et al. 2020, appendix B). Keep one of these for each decay.
public final class ExponentialMovingAverage: Sendable {
  /// The share of the average that is kept in a step; in [0, 1].
  public let decay: Double
  /// a. Checkpoints read and write it.
  public let average: FloatBuffer

  /// An average that starts at the given parameters.
  /// - Parameters:
  ///   - parameters: the shard's first float.
  ///   - count: floats in the shard; whole blocks of `ParameterLayout.blockSize`.
  public init(decay: Double, parameters: UnsafePointer<Float>, count: Int) {
    precondition((0...1).contains(decay), "a decay of \(decay) is no share")
    self.decay = decay
    average = FloatBuffer(count: count)
    average.pointer.update(from: parameters, count: count)
  }

  /// Floats in the shard.
  public var count: Int { average.count }

  /// Moves the average towards the parameters by one step.
  /// - Parameter parameters: θ, the shard's first float; `count` are read.
  public func update(parameters: UnsafePointer<Float>, workers: WorkerPool) {
    let weight = Vector(repeating: Float(1 - decay))
    let averages = average.pointer
    forEachPart(ofShard: count, workers) { range in
      var index = range.lowerBound
      while index < range.upperBound {
        let old = load16(averages + index)
        store16(old + weight * (load16(parameters + index) - old), averages + index)
        index += vectorWidth
      }
    }
  }
}
