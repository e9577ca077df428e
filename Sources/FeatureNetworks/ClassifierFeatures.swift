import Configuration
import Differentiation
import Diffusion
import Interchange
import Network
import Tensors

/// The features of a classifier trained by `train-classifier`: the input of its last layer, at the first time of its
/// process, when images have the least noise.
package struct ClassifierFeatures: FeatureNetwork {
  package let name: String
  /// The CRC-32 of the whole file, eight hexadecimal digits.
  package let hash: String
  private let network: ClassifierNetwork
  private let parameters: Arena
  /// [H, W, C].
  private let imageShape: [Int]
  private let time: Float
  /// The factor of images at that time.
  private let scale: Float

  /// - Parameter file: see `FeatureNetworkFile`.
  /// - Throws: `InterchangeError` for a file of another kind, or with weights that do not fit the network that it
  ///   describes; also the errors of that description.
  package init(_ file: Safetensors) throws {
    let metadata = file.metadata
    guard FeatureNetworkFile.canBe(file) else {
      throw InterchangeError(
        file.path, "is not a file of features (its kind is \(metadata["kind"] ?? "not given"))",
        advice: "`ddpm-mpi export --format features` creates one from a classifier's checkpoint")
    }
    guard let name = metadata["name"], let yaml = metadata["configuration"],
      let classCount = metadata["class_count"].flatMap({ Int($0) }), classCount > 0,
      let shape = metadata["image_shape"]?.split(separator: ",").map({ Int($0) ?? 0 }), shape.count == 3,
      shape.allSatisfy({ $0 > 0 })
    else { throw InterchangeError(file.path, "its metadata are incomplete") }
    self.name = name
    imageShape = shape
    let configuration = try RunConfiguration(yaml: yaml, file: "\(file.path):configuration")
    hash = WeightsHash.text(of: file.contents)
    network = try ConfigurationError.found(in: file.path) {
      try configuration.classifier(height: shape[0], width: shape[1], channels: shape[2], classCount: classCount)
    }
    parameters = try FeatureNetworkFile.parameters(network.layout, in: file)
    let model = try configuration.modelDescription()
    let first = model.process.times.lowerBound
    time = Float(model.networkTime(at: first))
    scale = Float(model.inputScale(at: first) * model.process.marginal(at: first).signal)
  }

  package var featureCount: Int { network.featureCount }
  package var classCount: Int { network.classCount }
  package var batchSize: Int { 32 }

  package func check(shape: [Int]) throws {
    func dimensions(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "x") }
    guard shape == imageShape else {
      throw FeatureNetworkError(
        "\(name) requires images of \(dimensions(imageShape)), but these are \(dimensions(shape)); "
          + "choose other features")
    }
  }

  package func features(of images: ByteTensor, workers: WorkerPool) throws -> (features: Tensor, logits: Tensor) {
    try check(shape: Array(images.shape.dropFirst()))
    let count = images.shape[0]
    let input = Tensor(uninitialised: images.shape)
    for index in 0..<images.count { input[index] = scale * (Float(images[index]) / 127.5 - 1) }
    let tape = Tape(inferenceWith: parameters, workers: workers, arithmetic: network.arithmetic)
    let features = network.features(
      tape.input(input), timesteps: [Float](repeating: time, count: count), on: tape)
    return (features.value, network.logits(features, on: tape).value)
  }
}
