import Evaluation
import FeatureNetworks
import MessagePassing
import Tensors

/// Computes features of images, shared among all ranks. A row depends only on its image.
public struct FeatureExtraction: Sendable {
  public let network: any FeatureNetwork
  public let communicator: Communicator
  public let workers: WorkerPool

  public init(network: any FeatureNetwork, communicator: Communicator, workers: WorkerPool) {
    self.network = network
    self.communicator = communicator
    self.workers = workers
  }

  /// The results for a rank's share of images.
  public struct Share: Sendable {
    /// [share, featureCount].
    public let features: Features
    /// [share, classCount].
    public let logits: Features
  }

  /// Computes features of this rank's share of `count` images. Collective.
  ///
  /// - Parameters:
  ///   - shape: [H, W, C].
  ///   - progress: called with the number of images done on this rank.
  ///   - read: writes the bytes of the images with indices `range`, [range.count, H, W, C]; must not communicate.
  /// - Throws: `JobFailure` on all ranks if an image cannot be read on any, or the network does not support its shape.
  public func extract(
    count: Int, shape: [Int], progress: (_ done: Int) -> Void = { _ in },
    read: (_ range: Range<Int>, _ target: UnsafeMutablePointer<UInt8>) throws -> Void
  ) throws -> Share {
    let share = communicator.share(of: count)
    var features: [Float] = []
    var logits: [Float] = []
    features.reserveCapacity(share.count * network.featureCount)
    logits.reserveCapacity(share.count * network.classCount)
    let size = shape.reduce(1, *)
    let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: network.batchSize * size)
    defer { bytes.deallocate() }
    try communicator.together {
      guard let start = bytes.baseAddress else { return }
      for first in stride(from: share.lowerBound, to: share.upperBound, by: network.batchSize) {
        let range = first..<min(first + network.batchSize, share.upperBound)
        try read(range, start)
        let images = UnsafeBufferPointer(start: start, count: range.count * size)
        let found = try network.features(of: images, shape: shape, workers: workers)
        features += UnsafeBufferPointer(start: found.features.pointer, count: found.features.count)
        logits += UnsafeBufferPointer(start: found.logits.pointer, count: found.logits.count)
        progress(range.upperBound - share.lowerBound)
      }
    }
    return Share(
      features: Features(features, dimension: network.featureCount),
      logits: Features(logits, dimension: network.classCount))
  }
}
