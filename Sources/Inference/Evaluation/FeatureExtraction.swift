import Evaluation
import FeatureNetworks
import MessagePassing
import Tensors

/// Computes features of images, shared among all ranks. A row depends only on its image.
package struct FeatureExtraction: Sendable {
  package let network: any FeatureNetwork
  package let communicator: Communicator
  package let workers: WorkerPool

  package init(network: any FeatureNetwork, communicator: Communicator, workers: WorkerPool) {
    self.network = network
    self.communicator = communicator
    self.workers = workers
  }

  /// The results for a rank's share of images.
  package struct Share: Sendable {
    /// [share, featureCount].
    package let features: Features
    /// [share, classCount].
    package let logits: Features
  }

  /// Computes features of this rank's share of `count` images. Collective.
  ///
  /// - Parameters:
  ///   - shape: [H, W, C].
  ///   - progress: called with the images done on this rank.
  ///   - read: overwrites `target`, [range.count, H, W, C], with images number `range`; must not communicate.
  /// - Throws: `JobFailure` on all ranks if an image cannot be read on one, or the network does not take its shape.
  package func extract(
    count: Int, shape: [Int], progress: (_ done: Int) -> Void = { _ in },
    read: (_ range: Range<Int>, _ target: ByteTensor) throws -> Void
  ) throws -> Share {
    let share = communicator.share(of: count)
    let features = Tensor(uninitialised: [share.count, network.featureCount])
    let logits = Tensor(uninitialised: [share.count, network.classCount])
    let bytes = ByteTensor(uninitialised: [network.batchSize] + shape)
    try communicator.together {
      for range in communicator.batches(of: count, size: network.batchSize) {
        let images = bytes[0..<range.count]
        try read(range, images)
        let part = range.moved(by: -share.lowerBound)
        let found = try network.features(of: images, workers: workers)
        features[part].copy(found.features)
        logits[part].copy(found.logits)
        progress(part.upperBound)
      }
    }
    return Share(features: Features(features), logits: Features(logits))
  }
}
