import Tensors

/// The exponential moving average of one shard of the parameters: a ← a + (1 − decay) · (θ − a) after each step.
/// Images are drawn with the average (Ho et al. 2020, appendix B). Keep one of these for each decay.
public final class ExponentialMovingAverage: Sendable {
  /// The share of the average that is kept in a step; in [0, 1].
  public let decay: Double
  /// a. Checkpoints read and write it.
  public let average: FloatBuffer

  /// An average of zeros, to be started by `start`.
  /// - Parameter count: floats in the shard; whole blocks of `ParameterLayout.blockSize`.
  public init(decay: Double, count: Int) {
    precondition((0...1).contains(decay), "a decay of \(decay) is no share")
    self.decay = decay
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

  /// Moves a part of the average towards the parameters by one step.
  /// - Parameters:
  ///   - part: which of the shard's floats, in whole blocks; by default all of them.
  ///   - parameters: θ, the part's first float; as many as it has are read.
  public func update(_ part: Range<Int>? = nil, parameters: UnsafePointer<Float>, workers: WorkerPool) {
    let part = part ?? 0..<count
    precondition(part.lowerBound >= 0 && part.upperBound <= count, "the shard has no floats \(part)")
    let weight = Vector(repeating: Float(1 - decay))
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
