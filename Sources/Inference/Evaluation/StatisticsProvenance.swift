import Evaluation
import Failures
import FeatureNetworks
import Foundation

/// Where statistics come from, as files of ours say. Those of other programs do not.
struct StatisticsProvenance: Codable, Equatable {
  /// The folder or file of images.
  var images: String
  /// The network's name and the CRC-32 of its weights.
  var features: String
  var featureHash: String

  init(images: String, network: any FeatureNetwork) {
    self.images = images
    features = network.name
    featureHash = network.hash
  }

  /// nil if the file says nothing.
  init?(of file: StatisticsFile) {
    guard let text = file.provenance,
      let provenance = try? JSONDecoder().decode(Self.self, from: Data(text.utf8))
    else { return nil }
    self = provenance
  }

  enum CodingKeys: String, CodingKey {
    case images
    case features
    case featureHash = "feature_hash"
  }

  /// - Parameter path: of the file of statistics.
  /// - Throws: `InputError` unless they were made on these features.
  func check(_ path: String, against name: String, _ hash: String) throws(InputError) {
    guard featureHash != hash else { return }
    throw InputError(
      "\(path): its statistics are of the features \(features), checksum \(featureHash), and are compared with the "
        + "features \(name), checksum \(hash); take the same features for both")
  }
}
