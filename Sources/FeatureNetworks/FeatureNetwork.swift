import Failures
import Tensors

/// What turns images into features, whose statistics are then compared, and into logits of classes.
public protocol FeatureNetwork: Sendable {
  /// What measures on these features are labelled with, as in FID[name].
  var name: String { get }
  /// Of the weights, so that figures on other weights are not taken for the same; see `WeightsHash`.
  var hash: String { get }
  /// Numbers of a feature.
  var featureCount: Int { get }
  var classCount: Int { get }
  /// Images that go through the network together best.
  var batchSize: Int { get }

  /// - Parameters:
  ///   - images: [N, H, W, C] bytes.
  ///   - shape: [H, W, C].
  /// - Returns: features [N, featureCount] and logits [N, classCount]. Each row depends on its image alone.
  /// - Throws: `FeatureNetworkError` for images of a shape that the network does not take.
  func features(of images: UnsafeBufferPointer<UInt8>, shape: [Int], workers: WorkerPool) throws
    -> (features: Tensor, logits: Tensor)

  /// - Parameter shape: [H, W, C].
  /// - Throws: `FeatureNetworkError` unless the network takes images of this shape.
  func check(shape: [Int]) throws
}

/// Why images have no features: what was asked for, what is wrong, what to do.
public struct FeatureNetworkError: JobEndingError, Equatable, CustomStringConvertible {
  public var exitStatus: ExitStatus { .badInput }
  public let description: String

  init(_ description: String) { self.description = description }
}
