import Tensors

/// The Euclidean norm of a gradient that is divided into shards. The result is bit-identical for any division.
///
/// Each rank sums the squares of its own blocks; the ranks exchange these sums; each rank adds all of them in one tree.
public enum GradientNorm {
  /// Σ g² of each block of `ParameterLayout.blockSize` floats, in double precision and in a fixed order.
  /// - Parameters:
  ///   - gradients: a pointer to the shard's first float.
  ///   - count: the number of floats in the shard; whole blocks.
  public static func blockSums(_ gradients: UnsafePointer<Float>, count: Int, workers: WorkerPool) -> [Double] {
    let blockSize = ParameterLayout.blockSize
    precondition(count % blockSize == 0, "a shard consists of whole blocks, but has \(count) floats")
    return [Double](unsafeUninitializedCapacity: count / blockSize) { sums, initialised in
      let first = sums.baseAddress
      forEachPart(ofShard: count, workers) { range in
        for block in range.lowerBound / blockSize..<range.upperBound / blockSize {
          (first! + block).initialize(to: sumOfSquares(ofBlock: gradients + block * blockSize))
        }
      }
      initialised = count / blockSize
    }
  }

  /// The factor that limits the norm of gradients to `maximum`: min(1, maximum / (norm + 10⁻⁶)), as in PyTorch's
  /// `clip_grad_norm_`. NaN if `norm` is NaN, so that an invalid gradient is noticed.
  public static func clippingScale(norm: Double, maximum: Double) -> Double {
    precondition(maximum > 0, "the maximum norm \(maximum) must be positive")
    let scale = maximum / (norm + 1e-6)
    return scale > 1 ? 1 : scale
  }

  /// Eight running sums, which are added pairwise at the end.
  private static func sumOfSquares(ofBlock block: UnsafePointer<Float>) -> Double {
    var sums = SIMD8<Double>()
    var index = 0
    while index < ParameterLayout.blockSize {
      let values = SIMD8<Double>(UnsafeRawPointer(block + index).loadUnaligned(as: SIMD8<Float>.self))
      sums += values * values
      index += 8
    }
    let four = sums.lowHalf + sums.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }
}
