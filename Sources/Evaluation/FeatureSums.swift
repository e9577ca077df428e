import Kernels
import Tensors

/// Σ f and Σ f·fᵀ over images, in double precision.
///
/// Every number is a sum of exact terms over the images in order: a product of two floats fits into a double. Its bits
/// therefore do not depend on the number of images per call. They do not depend on ranks either, because each rank owns
/// some rows of Σ f·fᵀ and adds all images to them (`FeatureStatistics.init(share:of:over:workers:)`). Sums per rank
/// would have to be added, and to keep the order, 32 MiB would have to be sent for every few images with features of
/// 2048 numbers.
struct FeatureSums: Sendable {
  let dimension: Int
  /// The rows of Σ f·fᵀ that are computed here.
  let rows: Range<Int>
  private(set) var count = 0
  /// Σ f, [D].
  private(set) var sum: [Double]
  /// Rows of Σ f·fᵀ, [rows, D]; undefined left of the diagonal.
  private(set) var products: [Double]

  /// - Parameter rows: all by default.
  init(dimension: Int, rows: Range<Int>? = nil) {
    self.dimension = dimension
    self.rows = rows ?? 0..<dimension
    sum = [Double](repeating: 0, count: dimension)
    products = [Double](repeating: 0, count: self.rows.count * dimension)
  }

  /// Adds the next images.
  ///
  /// - Parameter features: [images, D], finite.
  mutating func add(_ features: UnsafePointer<Float>, count images: Int, workers: WorkerPool) {
    sum.withUnsafeMutableBufferPointer { sum in
      for image in 0..<images {
        let row = features + image * dimension
        for index in 0..<dimension { sum[index] += Double(row[index]) }
      }
    }
    products.withUnsafeMutableBufferPointer { products in
      guard let products = products.baseAddress else { return }
      let matrix = MatrixView(features, rowStride: dimension)
      PreciseProduct.add(
        matrix.transposed.rows(from: rows.lowerBound), matrix, to: products, rowStride: dimension, rows: rows.count,
        columns: dimension, depth: images, fromDiagonal: rows.lowerBound, workers: workers)
    }
    count += images
  }
}
