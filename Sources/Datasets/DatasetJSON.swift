import Foundation

/// The classes of a folder's images, from its file `dataset.json` as written by the `dataset_tool.py` of StyleGAN and
/// EDM (Karras et al., arXiv 2206.00364): `{"labels": [["00000/img00000000.png", 6], …]}`, or `null` without classes.
struct DatasetJSON: Sendable {
  static let fileName = "dataset.json"

  /// Keyed by the bytes of the images' paths below the folder; nil if there are no classes.
  let labels: [[UInt8]: Int]?

  var classNames: [String] { labels.map { (0...($0.values.max() ?? 0)).map(String.init) } ?? [] }

  /// - Returns: nil if the file is of another kind, without labels.
  /// - Throws: `DatasetError`.
  init?(_ contents: [UInt8], path: String) throws(DatasetError) {
    let fields = (try? JSONSerialization.jsonObject(with: Data(contents))) as? [String: Any]
    guard let value = fields?["labels"] else { return nil }
    guard let entries = value as? [Any] else {
      guard value is NSNull else { throw Self.unknown(path, "`labels` is not a list") }
      labels = nil
      return
    }
    var labels: [[UInt8]: Int] = [:]
    for (index, entry) in entries.enumerated() {
      guard let pair = entry as? [Any], pair.count == 2, let name = pair[0] as? String,
        let label = (pair[1] as? NSNumber)?.doubleValue, let label = Int(exactly: label), (0..<1 << 16).contains(label)
      else { throw Self.unknown(path, "entry \(index) of `labels` is not a name with a class number below 65536") }
      guard labels.updateValue(label, forKey: Array(name.utf8)) == nil else {
        throw Self.unknown(path, "`labels` has \(name) twice")
      }
    }
    guard !labels.isEmpty else { throw Self.unknown(path, "`labels` is empty") }
    self.labels = labels
  }

  private static func unknown(_ path: String, _ problem: String) -> DatasetError {
    DatasetError(
      .wrongLayout, path, problem,
      advice:
        "it should be {\"labels\": [[\"00000/img00000000.png\", 6], …]} or null for labels; without the file, "
        + "subfolders are classes")
  }
}
