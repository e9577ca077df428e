import Configuration
import Differentiation
import Diffusion
import Network
import Tensors

/// The features of a classifier trained by `train-classifier`: the input of its last layer, at the first time of its
/// process, when images have the least noise.
public struct ClassifierFeatures: FeatureNetwork {
  public let name: String
  public let hash: String
  private let network: ClassifierNetwork
  private let parameters: Arena
  /// [H, W, C].
  private let imageShape: [Int]
  private let time: Float
  /// The factor of images at that time.
  private let scale: Float

  /// - Throws: `InterchangeError` if the weights do not fit the network that the file describes; also the errors of
  ///   that description.
  public init(_ file: FeatureNetworkFile) throws {
    name = file.name
    hash = file.hash
    imageShape = file.imageShape
    let configuration = file.configuration
    let shape = file.imageShape
    network = try ConfigurationError.found(in: file.path) {
      try configuration.classifier(
        height: shape[0], width: shape[1], channels: shape[2], classCount: file.classCount)
    }
    parameters = try file.parameters(network.layout)
    let model = try configuration.modelDescription()
    let first = model.process.times.lowerBound
    time = Float(model.networkTime(at: first))
    scale = Float(model.inputScale(at: first) * model.process.marginal(at: first).signal)
  }

  public var featureCount: Int { network.featureCount }
  public var classCount: Int { network.classCount }
  public var batchSize: Int { 32 }

  public func check(shape: [Int]) throws {
    guard shape == imageShape else {
      throw FeatureNetworkError(
        "\(name) requires images of shape \(imageShape), but these are \(shape); choose other features")
    }
  }

  public func features(of images: ByteTensor, workers: WorkerPool) throws -> (features: Tensor, logits: Tensor) {
    try check(shape: Array(images.shape.dropFirst()))
    let count = images.shape[0]
    let input = Tensor(uninitialised: images.shape)
    for index in 0..<images.count { input[index] = scale * (Float(images[index]) / 127.5 - 1) }
    let tape = Tape(inferenceWith: parameters, workers: workers, convolutionMethod: network.convolutionMethod)
    let features = network.features(
      tape.input(input), timesteps: [Float](repeating: time, count: count), on: tape)
    return (features.value, network.logits(features, on: tape).value)
  }
}
