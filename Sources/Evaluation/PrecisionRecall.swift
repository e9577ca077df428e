import Tensors

/// The fraction of generated images that are realistic, and the fraction of real images that can be generated
/// (Kynkäänniemi et al., arXiv:1904.06991, section 2).
///
/// A set's manifold is the union of balls around its features, where each radius is the Euclidean distance to the kth
/// nearest other feature of the set.
package struct PrecisionRecall: Codable, Sendable, Equatable {
  /// The fraction of the generated images that lie on the real images' manifold.
  package let precision: Double
  /// The fraction of the real images that lie on the generated images' manifold.
  package let recall: Double

  /// As in the paper.
  package static let usualNeighbourCount = 3

  /// The number of images that a thread takes at a time.
  private static let grain = 64

  /// - Parameters:
  ///   - generated: [N, D].
  ///   - real: [M, D].
  ///   - neighbourCount: k, 3 by default.
  /// - Throws: `EvaluationError` if a side has too few images for k neighbours, dimensions differ, or a feature is not
  ///   finite.
  package init(
    generated: Features, real: Features, neighbourCount: Int = Self.usualNeighbourCount, workers: WorkerPool
  ) throws(EvaluationError) {
    precondition(neighbourCount >= 1, "there must be at least one neighbour")
    try Features.check(
      generated, real, minimum: neighbourCount + 1, measure: "precision and recall with \(neighbourCount) neighbours")
    let onManifold = Self.membership(generated, real, neighbourCount: neighbourCount, workers: workers)
    precision = Double(onManifold.first.count(where: { $0 })) / Double(generated.count)
    recall = Double(onManifold.second.count(where: { $0 })) / Double(real.count)
  }

  /// Which images of each set lie on the manifold of the other.
  private static func membership(
    _ first: Features, _ second: Features, neighbourCount: Int, workers: WorkerPool
  ) -> (first: [Bool], second: [Bool]) {
    let (firstSquares, secondSquares) = (squaredNorms(first), squaredNorms(second))
    let firstRadii = squaredRadii(first, squares: firstSquares, neighbourCount: neighbourCount, workers: workers)
    let secondRadii = squaredRadii(second, squares: secondSquares, neighbourCount: neighbourCount, workers: workers)
    let ofFirst = Buffer(repeating: false, count: first.count)
    let ofSecond = Buffer(repeating: false, count: second.count)
    InnerProducts.forEachBlock(first, second, workers: workers) { products in
      @inline(__always)
      func distance(_ row: Int, _ column: Int) -> Double {
        squaredDistance(firstSquares[row], secondSquares[column], products[row, column])
      }
      workers.forEachRange(in: products.rows, grain: grain) { rows in
        for row in rows where !ofFirst[row] {
          ofFirst[row] = products.columns.contains { distance(row, $0) <= secondRadii[$0] }
        }
      }
      workers.forEachRange(in: products.columns, grain: grain) { columns in
        for row in products.rows {
          for column in columns where distance(row, column) <= firstRadii[row] { ofSecond[column] = true }
        }
      }
    }
    return (ofFirst.elements, ofSecond.elements)
  }

  /// Each image's squared distance to its kth nearest neighbour within the set.
  private static func squaredRadii(
    _ features: Features, squares: [Double], neighbourCount: Int, workers: WorkerPool
  ) -> [Double] {
    // [N, k], each image's smallest distances in ascending order.
    let nearest = Buffer(repeating: Double.infinity, count: features.count * neighbourCount)
    @inline(__always)
    func offer(_ distance: Double, to image: Int) {
      var index = (image + 1) * neighbourCount - 1
      if distance >= nearest[index] { return }
      while index > image * neighbourCount && nearest[index - 1] > distance {
        nearest[index] = nearest[index - 1]
        index -= 1
      }
      nearest[index] = distance
    }
    // Each pair once; its distance counts for both.
    InnerProducts.forEachBlock(features, features, aboveDiagonal: true, workers: workers) { products in
      @inline(__always)
      func distance(_ row: Int, _ column: Int) -> Double {
        squaredDistance(squares[row], squares[column], products[row, column])
      }
      workers.forEachRange(in: products.rows, grain: grain) { rows in
        for row in rows {
          for column in products.columns.above(row) { offer(distance(row, column), to: row) }
        }
      }
      workers.forEachRange(in: products.columns, grain: grain) { columns in
        for row in products.rows {
          for column in columns.above(row) { offer(distance(row, column), to: column) }
        }
      }
    }
    return (1...features.count).map { nearest[$0 * neighbourCount - 1] }
  }

  /// |x|² + |y|² − 2·x·y. Rounding may make it slightly negative if x and y nearly coincide; it is exactly zero if they
  /// are equal, since the three sums are then equal too.
  @inline(__always)
  private static func squaredDistance(_ first: Double, _ second: Double, _ product: Double) -> Double {
    max(0, first + second - 2 * product)
  }

  /// |x|² of each image, added in the order in which `InnerProducts` adds x·x.
  private static func squaredNorms(_ features: Features) -> [Double] {
    (0..<features.count).map { features[$0].reduce(0) { $0 + Double($1) * Double($1) } }
  }
}
