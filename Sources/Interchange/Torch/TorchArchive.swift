import FoundationEssentials

/// PyTorch's ZIP format: a folder with the pickle `data.pkl`, and each storage as a file of little-endian elements.
enum TorchArchive {
  static let signature = Data("PK\u{3}\u{4}".utf8)

  static func read(
    _ contents: Data, path: String
  ) throws(InterchangeError) -> (pickle: Pickle, storages: [String: Data]) {
    let members = Dictionary(
      try ZipArchive.members(of: contents, path: path).map { ($0.name, $0.bytes) }, uniquingKeysWith: { $1 })
    let pickleName = "data.pkl"
    guard let pickled = members.keys.filter({ $0.hasSuffix("/" + pickleName) }).min(), let program = members[pickled]
    else {
      throw InterchangeError(
        path, "is a ZIP archive without the data.pkl of PyTorch's", advice: "check that this is the right file")
    }
    let folder = String(pickled.dropLast(pickleName.count))
    guard String(decoding: members[folder + "byteorder"] ?? [], as: UTF8.self) != "big" else {
      throw InterchangeError(path, "has numbers in big-endian order", advice: "save it on a little-endian machine")
    }
    let pickle = try Pickle(Data(program), path: path)
    var storages: [String: Data] = [:]
    for storage in try pickle.storages(path: path) {
      guard let bytes = members["\(folder)data/\(storage.key)"] else {
        throw InterchangeError(path, "has no member \(folder)data/\(storage.key)")
      }
      guard bytes.count == storage.byteCount else {
        throw InterchangeError(
          path, "its member \(folder)data/\(storage.key) has \(bytes.count) bytes, not \(storage.byteCount)")
      }
      storages[storage.key] = Data(bytes)
    }
    return (pickle, storages)
  }
}

extension Pickle {
  /// All storages that it refers to, each once.
  func storages(path: String) throws(InterchangeError) -> [TorchStorage] {
    var storages: [String: TorchStorage] = [:]
    for case .persistent(let identifier) in values {
      let storage = try TorchStorage(identifier, of: self, path: path)
      if let other = storages[storage.key], other.type != storage.type || other.count != storage.count {
        throw InterchangeError(path, "storage \(storage.key) is described in two ways")
      }
      storages[storage.key] = storage
    }
    return storages.keys.sorted().compactMap { storages[$0] }
  }
}
