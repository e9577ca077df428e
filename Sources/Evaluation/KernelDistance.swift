import Kernels
import Tensors

/// The kernel distance, called KID with Inception's features: the squared maximum mean discrepancy of two sets of
/// features under the kernel k(x, y) = (x·y / D + 1)³ (Bińkowski et al., arXiv:1801.01401, sections 2 and 4).
///
/// The estimate is unbiased, so for equal distributions it is negative as often as positive. It is computed over random
/// subsets of both sides, drawn without replacement.
package struct KernelDistance: Codable, Sendable, Equatable {
  /// The mean over the subsets.
  package let mean: Double
  /// The standard deviation of the subsets' estimates, with their number as divisor.
  package let standardDeviation: Double

  /// - Parameters:
  ///   - second: [M, D].
  ///   - subsetSize: the number of images of each side in a subset.
  ///   - subsetCount: usually 100, with a `subsetSize` of 1000.
  ///   - seed: determines, together with the numbers of images, which images are drawn.
  /// - Throws: `EvaluationError` if a side has fewer images than a subset, dimensions differ, or a feature is not finite.
  package init(
    _ first: Features, _ second: Features, subsetSize: Int = 1000, subsetCount: Int = 100, seed: UInt64,
    workers: WorkerPool
  ) throws(EvaluationError) {
    precondition(subsetSize >= 2, "an unbiased estimate needs pairs of different images")
    precondition(subsetCount >= 1, "there must be at least one subset")
    try Features.check(
      first, second, minimum: subsetSize, measure: "a kernel distance over subsets of \(subsetSize) images")
    let estimates = (0..<subsetCount).map { subset in
      Self.discrepancy(
        first[Self.indices(subset, side: 0, size: subsetSize, of: first.count, seed: seed)],
        second[Self.indices(subset, side: 1, size: subsetSize, of: second.count, seed: seed)], workers: workers)
    }
    (mean, standardDeviation) = meanAndStandardDeviation(estimates)
  }

  /// The images of one side in a subset, without repetition, in the order in which they are drawn.
  ///
  /// - Parameters:
  ///   - subset: the subset's index.
  ///   - side: 0 or 1.
  ///   - count: the number of images to choose from.
  package static func indices(_ subset: Int, side: Int, size: Int, of count: Int, seed: UInt64) -> [Int] {
    precondition(size <= count, "cannot draw \(size) different images out of \(count)")
    let stream = RandomStream(seed: seed, purpose: .evaluationSubset, step: subset, detail: side)
    // A Fisher–Yates shuffle, stopped when enough images are drawn.
    var indices = Array(0..<count)
    for index in 0..<size { indices.swapAt(index, index + stream.integer(index, below: count - index)) }
    return Array(indices[..<size])
  }

  /// The unbiased estimate of the squared maximum mean discrepancy between all of two sets (ibid., equation 4):
  /// the mean of k(x, x′) over pairs of different x, the same of y, less twice the mean of k(x, y).
  ///
  /// - Parameters:
  ///   - first: [N, D], N ≥ 2.
  ///   - second: [M, D], M ≥ 2.
  package static func discrepancy(_ first: Features, _ second: Features, workers: WorkerPool) -> Double {
    precondition(first.dimension == second.dimension, "features of both sides must have the same dimension")
    let (m, n) = (Double(first.count), Double(second.count))
    let withinFirst = 2 * sumOfKernels(first, first, aboveDiagonal: true, workers: workers) / (m * (m - 1))
    let withinSecond = 2 * sumOfKernels(second, second, aboveDiagonal: true, workers: workers) / (n * (n - 1))
    let between = sumOfKernels(first, second, aboveDiagonal: false, workers: workers) / (m * n)
    return withinFirst + withinSecond - 2 * between
  }

  /// Σ k(x_i, y_j) over all pairs, or over those with j > i.
  private static func sumOfKernels(
    _ first: Features, _ second: Features, aboveDiagonal: Bool, workers: WorkerPool
  ) -> Double {
    let dimension = Double(first.dimension)
    // One sum per x, so that the order does not depend on threads.
    let sums = Buffer(repeating: 0.0, count: first.count)
    InnerProducts.forEachBlock(first, second, aboveDiagonal: aboveDiagonal, workers: workers) { products in
      workers.forEachRange(in: products.rows, grain: 16) { rows in
        for row in rows {
          var sum = 0.0
          for column in aboveDiagonal ? products.columns.above(row) : products.columns {
            let base = products[row, column] / dimension + 1
            sum += base * base * base
          }
          sums[row] += sum
        }
      }
    }
    return sums.elements.reduce(0, +)
  }
}
