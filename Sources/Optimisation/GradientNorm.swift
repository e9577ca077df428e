import Tensors

/// The Euclidean norm of a gradient that is divided into shards. The result is bit-identical for any division.
///
/// Each rank sums the squares of its own blocks; the ranks exchange these sums; each rank adds all of them in one tree.
package enum GradientNorm {
  /// Σ g² of each block of `ParameterLayout.blockSize` floats, in double precision, added in a fixed order.
  /// - Parameter gradients: of a shard, in whole blocks.
  package static func blockSums(_ gradients: Tensor, workers: WorkerPool) -> [Double] {
    let blockSize = ParameterLayout.blockSize
    let sums = Buffer<Double>(count: gradients.count / blockSize)
    forEachPart(ofShard: gradients.count, workers) { range in
      for start in stride(from: range.lowerBound, to: range.upperBound, by: blockSize) {
        sums[start / blockSize] = sumOfSquares(ofBlock: gradients, from: start)
      }
    }
    return sums.elements
  }

  /// The factor that limits the norm of gradients to `maximum`: min(1, maximum / (norm + 10⁻⁶)), as in PyTorch's
  /// `clip_grad_norm_`. NaN if `norm` is NaN, so that an invalid gradient is noticed.
  package static func clippingScale(norm: Double, maximum: Double) -> Double {
    precondition(maximum > 0, "the maximum norm \(maximum) must be positive")
    let scale = maximum / (norm + 1e-6)
    return scale > 1 ? 1 : scale
  }

  /// Eight running sums, which are added pairwise at the end.
  private static func sumOfSquares(ofBlock gradients: Tensor, from start: Int) -> Double {
    var sums = SIMD8<Double>()
    for index in stride(from: start, to: start + ParameterLayout.blockSize, by: 8) {
      let values = SIMD8<Double>(gradients[vector: index] as SIMD8<Float>)
      sums += values * values
    }
    let four = sums.lowHalf + sums.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }
}
