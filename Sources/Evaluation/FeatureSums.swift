import Kernels
import Tensors

/// Σ f and Σ f·fᵀ over images, in double precision.
///
/// Every number is a sum of exact terms over the images in order: a product of two floats fits into a double. Its bits
/// therefore do not depend on the number of images per call. They do not depend on ranks either, because each rank owns
/// some rows of Σ f·fᵀ and adds all images to them (`FeatureStatistics.init(share:of:over:workers:)`). Sums per rank
/// would have to be added, and to keep the order, 32 MiB would have to be sent for every few images with features of
/// 2048 numbers.
struct FeatureSums {
  /// The rows of Σ f·fᵀ that are computed here.
  let rows: Range<Int>
  /// Σ f, [1, D].
  let sum: TypedTensor<Double>
  /// Rows of Σ f·fᵀ, [rows, D]; undefined left of the diagonal.
  let products: TypedTensor<Double>

  /// - Parameter rows: all by default.
  init(dimension: Int, rows: Range<Int>? = nil) {
    self.rows = rows ?? 0..<dimension
    sum = TypedTensor(shape: [1, dimension])
    products = TypedTensor(shape: [self.rows.count, dimension])
  }

  /// Adds the next images.
  ///
  /// - Parameter features: [images, D], finite.
  func add(_ features: Tensor, workers: WorkerPool) {
    let matrix = Matrix(features)
    PreciseProduct.add(
      Matrix(Tensor(repeating: 1, shape: [1, matrix.rows])), matrix, to: sum, workers: workers)
    PreciseProduct.add(
      matrix.transposed.rows(rows), matrix, to: products, fromDiagonal: rows.lowerBound, workers: workers)
  }
}
