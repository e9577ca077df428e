import Files
import FoundationEssentials

/// A module's `state_dict()` written by PyTorch's `torch.save`: in the ZIP format, the default since version 1.6, or in
/// the format before it, pickles followed by the tensors' elements. No code in it is run.
package struct TorchFile: TensorFile {
  package let path: String
  private let tensors: [String: TorchTensor]
  /// The elements of each storage, by its key.
  private let storages: [String: Data]

  /// Whether a file starts like a PyTorch file.
  package static func canBe(_ contents: Data) -> Bool {
    contents.starts(with: TorchArchive.signature) || contents.starts(with: LegacyTorchFile.signature)
  }

  /// - Parameters:
  ///   - contents: the contents of the file.
  ///   - path: the name of the file in messages.
  /// - Throws: `InterchangeError` for a file that is truncated, or contains anything other than named tensors.
  package init(_ contents: Data, path: String) throws(InterchangeError) {
    let (pickle, storages) =
      contents.starts(with: TorchArchive.signature)
      ? try TorchArchive.read(contents, path: path) : try LegacyTorchFile.read(contents, path: path)
    self.path = path
    self.storages = storages
    var tensors: [String: TorchTensor] = [:]
    for item in pickle.items(pickle.root) ?? [] {
      guard let name = pickle.text(item.key) else { continue }
      tensors[name] = try TorchTensor(item.value, of: pickle, name: name, path: path)
    }
    guard !tensors.isEmpty else {
      throw InterchangeError(
        path, "is a PyTorch file, but not of named tensors",
        advice: "save a module's tensors: torch.save(module.state_dict(), path)")
    }
    for (name, tensor) in tensors {
      guard storages[tensor.storage.key] != nil else {
        throw InterchangeError(path, "the elements of \(name) are missing")
      }
      try tensor.check(name, path: path)
    }
    self.tensors = tensors
  }

  package var names: [String] { tensors.keys.sorted() }

  package func shape(of name: String) -> [Int]? { tensors[name]?.shape }

  package func floats(_ name: String) throws(InterchangeError) -> [Float] {
    guard let tensor = tensors[name], let storage = storages[tensor.storage.key] else {
      throw InterchangeError(path, "has no tensor \(name)", advice: "check that this is the right file")
    }
    guard let type = TorchStorage.floatTypes[tensor.storage.type] else {
      throw InterchangeError(
        path, "\(name) has elements of type \(tensor.storage.type)",
        advice: "store it with floating-point numbers")
    }
    return storage.withUnsafeBytes { bytes in
      if let range = tensor.contiguousElements {
        let first = range.lowerBound * type.byteCount
        return type.floats(UnsafeRawBufferPointer(rebasing: bytes[first..<first + range.count * type.byteCount]))
      }
      return rowMajor(type.floats(bytes), from: tensor.offset, shape: tensor.shape, strides: tensor.strides)
    }
  }
}

/// The elements that one or more tensors are views of. A pickle refers to them by the persistent identifier ('storage',
/// type, key, device, count).
struct TorchStorage {
  /// PyTorch's name, such as `torch.FloatStorage`.
  let type: String
  let key: String
  /// The number of elements.
  let count: Int
  let byteCount: Int

  static let floatTypes: [String: FloatType] = [
    "torch.DoubleStorage": .float64, "torch.FloatStorage": .float32, "torch.HalfStorage": .float16,
    "torch.BFloat16Storage": .bfloat16,
  ]

  /// The size of an element in bytes; nil for an unknown type.
  private static func elementByteCount(_ type: String) -> Int? {
    if let known = floatTypes[type] { return known.byteCount }
    return switch type {
    case "torch.BoolStorage", "torch.ByteStorage", "torch.CharStorage", "torch.storage.UntypedStorage": 1
    case "torch.ShortStorage": 2
    case "torch.IntStorage": 4
    case "torch.LongStorage", "torch.ComplexFloatStorage": 8
    case "torch.ComplexDoubleStorage": 16
    default: nil
    }
  }

  /// - Parameter identifier: the identifier of a persistent value.
  init(_ identifier: Pickle.Reference, of pickle: Pickle, path: String) throws(InterchangeError) {
    guard let parts = pickle.elements(identifier), parts.count >= 5, pickle.text(parts[0]) == "storage",
      case .global(let type) = pickle[parts[1]], let key = pickle.text(parts[2]),
      let count = pickle.integer(parts[4]), count >= 0
    else { throw InterchangeError(path, "its pickle refers to elements in an unknown form") }
    // Views of storages, which PyTorch has not written since 2018.
    if parts.count > 5 {
      guard case .none = pickle[parts[5]] else {
        throw InterchangeError(path, "storage \(key) is a part of another one", advice: Self.advice)
      }
    }
    guard let size = Self.elementByteCount(type) else {
      throw InterchangeError(path, "storage \(key) has the type \(type), which is not supported", advice: Self.advice)
    }
    guard let byteCount = checkedProduct([count, size]) else {
      throw InterchangeError(path, "storage \(key) would have \(count) elements")
    }
    (self.type, self.key, self.count, self.byteCount) = (type, key, count, byteCount)
  }

  private static let advice = "load it with PyTorch and save it again"
}
