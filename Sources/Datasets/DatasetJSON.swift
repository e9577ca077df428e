import FoundationEssentials

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
    guard let file = try? JSONDecoder().decode(File.self, from: Data(contents)), let value = file.labels else {
      return nil
    }
    guard case .list(let entries) = value else {
      guard case .null = value else { throw Self.unknown(path, "`labels` is not a list") }
      labels = nil
      return
    }
    var labels: [[UInt8]: Int] = [:]
    for (index, entry) in entries.enumerated() {
      guard let name = entry.name, let label = entry.label, (0..<1 << 16).contains(label) else {
        throw Self.unknown(path, "entry \(index) of `labels` is not a name with a class number below 65536")
      }
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

  /// What is read of the file.
  private struct File: Decodable {
    /// nil if the file has none.
    let labels: Labels?

    enum CodingKeys: CodingKey { case labels }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      labels = fields.contains(.labels) ? try fields.decode(Labels.self, forKey: .labels) : nil
    }
  }

  private enum Labels: Decodable {
    case null
    case list([Entry])
    case other

    init(from decoder: any Decoder) throws {
      if try decoder.singleValueContainer().decodeNil() {
        self = .null
      } else if var list = try? decoder.unkeyedContainer() {
        var entries: [Entry] = []
        while !list.isAtEnd { entries.append(try list.decode(Entry.self)) }
        self = .list(entries)
      } else {
        self = .other
      }
    }
  }

  /// An element of the list; name and label are nil if it is something else than a pair of them.
  private struct Entry: Decodable {
    var name: String?
    var label: Int?

    init(from decoder: any Decoder) throws {
      guard var pair = try? decoder.unkeyedContainer(), pair.count == 2 else { return }
      name = try? pair.decode(String.self)
      // A name that was not read is still the next element.
      label = name == nil ? nil : (try? pair.decode(Double.self)).flatMap { Int(exactly: $0) }
    }
  }
}
