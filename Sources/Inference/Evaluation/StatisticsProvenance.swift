import Evaluation
import Failures
import Reporting

/// The origin of statistics, as stored in this program's files. Files of other programs do not have it.
struct StatisticsProvenance: Codable {
  /// The folder or file of images.
  var images: String
  /// The network's name and the CRC-32 of its weights.
  var features: String
  var featureHash: String
}

extension StatisticsProvenance {
  /// nil if the file does not state it.
  init?(of file: StatisticsFile) {
    guard let text = file.provenance, let provenance: Self = value(ofJSONLine: text.utf8) else { return nil }
    self = provenance
  }

  /// - Parameter path: the path of the file of statistics.
  /// - Throws: `InputError` unless they were computed from these features.
  func check(_ path: String, against name: String, _ hash: String) throws(InputError) {
    guard featureHash != hash else { return }
    throw InputError(
      "\(path): its statistics are of the features \(features), checksum \(featureHash), but are compared with the "
        + "features \(name), checksum \(hash); use the same features for both")
  }
}
