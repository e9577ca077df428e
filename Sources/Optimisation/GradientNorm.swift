import Tensors

/// The Euclidean norm of a gradient that is spread over shards, the same bits however it is spread.
///
/// Each rank sums the squares of its own blocks; the ranks exchange those sums; each adds all of them in one tree.
public enum GradientNorm {
  /// Σ g² of each block of `ParameterLayout.blockSize` floats, in double precision and in one order, whoever does it.
  /// - Parameters:
  ///   - gradients: the shard's first float.
  ///   - count: floats in the shard; whole blocks.
  public static func blockSums(_ gradients: UnsafePointer<Float>, count: Int, workers: WorkerPool) -> [Double] {
    let blockSize = ParameterLayout.blockSize
    precondition(count % blockSize == 0, "a shard is made of whole blocks, not of \(count) floats")
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

  /// What to multiply gradients by so that their norm is at most `maximum`: min(1, maximum / (norm + 10⁻⁶)), as in
  /// PyTorch's `clip_grad_norm_`. Not a number when `norm` is not, so that a broken gradient stays visible.
  public static func clippingScale(norm: Double, maximum: Double) -> Double {
    precondition(maximum > 0, "a norm cannot be clipped to \(maximum)")
    let scale = maximum / (norm + 1e-6)
    return scale > 1 ? 1 : scale
  }

  /// Eight running sums, added up pairwise at the end.
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
