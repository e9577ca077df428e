import FoundationEssentials

/// PyTorch's format before version 1.6: pickles of a magic number, the format's version, the machine's properties, the
/// data and the storages' keys; then the number of elements and the elements of each storage.
enum LegacyTorchFile {
  /// The first byte of a pickle.
  static let signature = Data([0x80])
  /// 0x1950a86a20f9469cfc6c.
  private static let magic: [UInt8] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
  private static let version = 1001

  static func read(
    _ contents: Data, path: String
  ) throws(InterchangeError) -> (pickle: Pickle, storages: [String: Data]) {
    let first = try Pickle(contents, path: path)
    guard case .longInteger(Self.magic) = first[first.root] else {
      throw InterchangeError(
        path, "is a pickle, but not a PyTorch file", advice: "check that this is the right file")
    }
    let second = try Pickle(contents, from: first.end, path: path)
    guard second.integer(second.root) == version else {
      throw InterchangeError(path, "has a version of PyTorch's format that is not \(version)")
    }
    let machine = try Pickle(contents, from: second.end, path: path)
    for item in machine.items(machine.root) ?? [] where machine.text(item.key) == "little_endian" {
      guard case .boolean(true) = machine[item.value] else {
        throw InterchangeError(path, "has numbers in big-endian order", advice: "save it on a little-endian machine")
      }
    }
    let pickle = try Pickle(contents, from: machine.end, path: path)
    let keys = try Pickle(contents, from: pickle.end, path: path)

    let described = Dictionary(uniqueKeysWithValues: try pickle.storages(path: path).map { ($0.key, $0) })
    var storages: [String: Data] = [:]
    var position = keys.end
    for key in keys.elements(keys.root) ?? [] {
      guard let key = keys.text(key), let storage = described[key], storages[key] == nil else {
        throw InterchangeError(path, "its list of storages does not fit its tensors")
      }
      let lengthBytes = 8
      guard contents.count - position >= lengthBytes, contents.count - position - lengthBytes >= storage.byteCount
      else {
        throw InterchangeError(path, "is truncated: storage \(key) takes \(storage.byteCount) bytes")
      }
      let start = contents.startIndex + position
      let count = contents[start..<start + lengthBytes].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      guard count == UInt64(storage.count) else {
        throw InterchangeError(path, "storage \(key) has \(count) elements, not \(storage.count)")
      }
      let elements = start + lengthBytes
      storages[key] = contents[elements..<elements + storage.byteCount]
      position += lengthBytes + storage.byteCount
    }
    return (pickle, storages)
  }
}
