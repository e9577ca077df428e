import Inception
import Interchange
import Tensors

/// The features used for published results: Inception-v3's last mean over pixels, as pytorch-fid computes it.
package struct InceptionFeatures: FeatureNetwork {
  package let name = FeatureNetworks.inceptionName
  package let hash: String
  private let network: InceptionNetwork

  /// - Throws: `InterchangeError` if the file does not have the network's tensors.
  package init(_ file: any TensorFile) throws {
    // Of the tensors, not of the file: the same weights have the same hash in either format.
    var hash = WeightsHash()
    network = try InceptionNetwork(file) { hash.add($0, shape: $1, $2) }
    self.hash = hash.text
  }

  package var featureCount: Int { InceptionNetwork.featureCount }
  package var classCount: Int { InceptionNetwork.logitCount }
  package var batchSize: Int { 16 }

  package func check(shape: [Int]) throws {
    guard shape[2] == 1 || shape[2] == 3 else {
      throw FeatureNetworkError("\(name) requires grey or colour images, but these have \(shape[2]) channels")
    }
  }

  package func features(of images: ByteTensor, workers: WorkerPool) throws -> (features: Tensor, logits: Tensor) {
    try check(shape: Array(images.shape.dropFirst()))
    let input = Tensor(uninitialised: images.shape)
    for index in 0..<images.count { input[index] = Float(images[index]) / 255 }
    let features = network.features(of: input, workers: workers)
    // The authors of the Inception score left out the bias, and later work follows them.
    return (features, network.logits(of: features, hasBias: false, workers: workers))
  }
}
