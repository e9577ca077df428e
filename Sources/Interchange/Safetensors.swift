import Files
import FoundationEssentials

/// A file of named tensors in the safetensors format, as read and written by Hugging Face's libraries: eight bytes with
/// the header's length, a JSON header, then the tensors' elements, little-endian and row-major.
package struct Safetensors: Sendable {
  package struct Entry: Sendable, Equatable {
    package let name: String
    /// In the format's notation: `F32`, `I64` and so on. Only floating-point numbers are supported.
    package let type: String
    package let shape: [Int]
    /// The position in the file.
    fileprivate let bytes: Range<Int>
  }

  /// The name of the file in messages.
  package let path: String
  /// Sorted by name.
  package let entries: [Entry]
  /// The header's `__metadata__`.
  package let metadata: [String: String]

  /// The contents of the file.
  package let contents: Data
  private let indices: [String: Int]

  /// Maps the file at `path` into memory and checks its header.
  /// - Throws: `InterchangeError` for a file that cannot be read or is truncated.
  package init(readingFrom path: String) throws(InterchangeError) {
    try self.init(try fileContents(path), path: path)
  }

  /// - Parameters:
  ///   - contents: the contents of the file.
  ///   - path: the name of the file in messages.
  /// - Throws: `InterchangeError` unless the header matches the contents.
  package init(_ contents: Data, path: String) throws(InterchangeError) {
    self.path = path
    self.contents = contents
    let lengthBytes = 8
    guard contents.count >= lengthBytes else { throw InterchangeError(path, "is too short for a safetensors file") }
    let length = contents.prefix(lengthBytes).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(contents.count - lengthBytes) else {
      throw InterchangeError(path, "is not a safetensors file, or is truncated: its header would have \(length) bytes")
    }
    let start = lengthBytes + Int(length)
    guard length <= JSONValue.sizeLimit else {
      throw InterchangeError(
        path, "its header has \(length) bytes, more than the limit of \(JSONValue.sizeLimit)",
        advice: "split the tensors into several files")
    }
    let header = [UInt8](contents[contents.startIndex + lengthBytes..<contents.startIndex + start])
    guard case .object(let fields) = try JSONValue(parsing: header, path: path) else {
      throw InterchangeError(path, "is not a safetensors file: its header is not a JSON object")
    }
    metadata = fields["__metadata__"]?.object?.compactMapValues(\.text) ?? [:]
    var entries: [Entry] = []
    for (name, field) in fields where name != "__metadata__" {
      entries.append(try Self.entry(name, field, dataStart: start, end: contents.count, path: path))
    }
    let sorted = entries.sorted { $0.name < $1.name }
    self.entries = sorted
    indices = Dictionary(uniqueKeysWithValues: sorted.indices.map { (sorted[$0].name, $0) })
  }

  private static func entry(
    _ name: String, _ field: JSONValue, dataStart: Int, end: Int, path: String
  ) throws(InterchangeError) -> Entry {
    guard let field = field.object, let type = field["dtype"]?.text,
      let shape = field["shape"]?.elements(as: \.integer), shape.allSatisfy({ $0 >= 0 }),
      let offsets = field["data_offsets"]?.elements(as: \.integer), offsets.count == 2, offsets[0] >= 0,
      offsets[0] <= offsets[1], offsets[1] <= end - dataStart
    else { throw InterchangeError(path, "the header's entry for \(name) is wrong, or the file is truncated") }
    let bytes = dataStart + offsets[0]..<dataStart + offsets[1]
    if let known = FloatType(rawValue: type) {
      guard let count = checkedProduct([known.byteCount] + shape) else {
        throw InterchangeError(path, "the shape of \(name) is impossible: \(shape)")
      }
      guard count == bytes.count else {
        throw InterchangeError(path, "\(name) of shape \(shape) takes \(count) bytes, but has \(bytes.count)")
      }
    }
    return Entry(name: name, type: type, shape: shape, bytes: bytes)
  }

  package subscript(name: String) -> Entry? { indices[name].map { entries[$0] } }

  /// The elements of one tensor in row-major order, in single precision.
  /// - Throws: `InterchangeError` if there is no such tensor, or its elements are not floating-point numbers.
  package func floats(_ name: String) throws(InterchangeError) -> [Float] {
    guard let entry = self[name] else {
      throw InterchangeError(path, "has no tensor \(name)", advice: "check that this is the right file")
    }
    guard let type = FloatType(rawValue: entry.type) else {
      throw InterchangeError(
        path, "\(name) has elements of type \(entry.type)", advice: "store it as F32, F16, BF16 or F64")
    }
    return contents.withUnsafeBytes { type.floats(UnsafeRawBufferPointer(rebasing: $0[entry.bytes])) }
  }
}

extension Safetensors: TensorFile {
  package var names: [String] { entries.map(\.name) }

  package func shape(of name: String) -> [Int]? { self[name]?.shape }
}
