import Files
import Inception
import Interchange

/// The available feature networks.
package enum FeatureNetworks {
  /// The name of Inception-v3's features.
  package static let inceptionName = "inception"

  /// - Parameters:
  ///   - name: `inception`, the embedded classifier's name, or the path of a file written by `ddpm-mpi export --format
  ///     features`, or of Inception's weights.
  ///   - inceptionWeights: the path of Inception's weights; nil for the default locations.
  /// - Throws: `InterchangeError` for a file that is missing or damaged, `FeatureNetworkError` for an unknown name.
  package static func load(_ name: String, inceptionWeights: String? = nil) throws -> any FeatureNetwork {
    if name == inceptionName {
      return try InceptionFeatures(tensorFile(readingFrom: InceptionFile.locate(option: inceptionWeights)))
    }
    if name == EmbeddedClassifier.name { return try EmbeddedClassifier.load() }
    guard fileExists(name) else {
      throw FeatureNetworkError(
        "there are no features \(name); the choices are \(inceptionName), \(EmbeddedClassifier.name), or a file written "
          + "by `ddpm-mpi export --format features`")
    }
    let file = try tensorFile(readingFrom: name)
    if let tensors = file as? Safetensors, FeatureNetworkFile.canBe(tensors) || !InceptionNetwork.canBe(in: file) {
      return try ClassifierFeatures(tensors)
    }
    return try InceptionFeatures(file)
  }
}
