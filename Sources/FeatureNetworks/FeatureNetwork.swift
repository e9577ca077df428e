import Failures
import Tensors

/// Computes features of images, whose statistics are then compared, and logits of classes.
package protocol FeatureNetwork: Sendable {
  /// The label of measures on these features, as in FID[name].
  var name: String { get }
  /// The checksum of the weights, which distinguishes results with different weights; see `WeightsHash`.
  var hash: String { get }
  /// The number of values per feature.
  var featureCount: Int { get }
  var classCount: Int { get }
  /// The most efficient number of images per call.
  var batchSize: Int { get }

  /// - Parameter images: [N, H, W, C].
  /// - Returns: features [N, featureCount] and logits [N, classCount]. Each row depends on its image alone.
  /// - Throws: `FeatureNetworkError` for images of a shape that the network does not take.
  func features(of images: ByteTensor, workers: WorkerPool) throws -> (features: Tensor, logits: Tensor)

  /// - Parameter shape: [H, W, C].
  /// - Throws: `FeatureNetworkError` unless the network supports images of this shape.
  func check(shape: [Int]) throws
}

/// Why features cannot be computed, and what to do.
package struct FeatureNetworkError: JobEndingError, Equatable, CustomStringConvertible {
  package var exitStatus: ExitStatus { .badInput }
  package let description: String

  init(_ description: String) { self.description = description }
}
