import Foundation
import Inception
import Interchange
import Network

/// The networks whose features can be asked for.
public enum FeatureNetworks {
  /// What Inception-v3's features are asked for by.
  public static let inceptionName = "inception"

  /// - Parameters:
  ///   - name: `inception`, the embedded classifier's name, or the path of a file that `ddpm-mpi export --format features`
  ///     has written, or of Inception's weights.
  ///   - inceptionWeights: where Inception's weights are; nil for the usual places.
  /// - Throws: `InterchangeError` for a file that is missing or damaged, `FeatureNetworkError` for an unknown name.
  public static func load(_ name: String, inceptionWeights: String? = nil) throws -> any FeatureNetwork {
    if name == inceptionName {
      return try InceptionFeatures(tensorFile(readingFrom: InceptionFile.locate(option: inceptionWeights)))
    }
    if name == EmbeddedClassifier.name { return try EmbeddedClassifier.load() }
    guard FileManager.default.fileExists(atPath: name) else {
      throw FeatureNetworkError(
        "there are no features \(name): they are \(inceptionName), \(EmbeddedClassifier.name), or a file that "
          + "`ddpm-mpi export --format features` has written")
    }
    let file = try tensorFile(readingFrom: name)
    if let tensors = file as? Safetensors, FeatureNetworkFile.canBe(tensors) || !InceptionNetwork.canBe(in: file) {
      return try ClassifierFeatures(FeatureNetworkFile(tensors))
    }
    return try InceptionFeatures(file)
  }
}
