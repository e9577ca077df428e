import Files
import FoundationEssentials

/// A file of named arrays as written by `numpy.savez` and `numpy.savez_compressed` (`.npz`): a ZIP archive with an
/// array in NumPy's format for each name.
package struct NumpyArchive: Sendable {
  struct Entry {
    let header: NumpyHeader
    let elements: ArraySlice<UInt8>
  }

  /// The name of the file in messages.
  package let path: String
  private let entries: [String: Entry]

  /// - Throws: `InterchangeError` for a file that cannot be read, is truncated, or is of another format.
  package init(readingFrom path: String) throws(InterchangeError) {
    try self.init(try fileContents(path), path: path)
  }

  /// - Parameters:
  ///   - contents: the contents of the file.
  ///   - path: the name of the file in messages.
  /// - Throws: `InterchangeError` if the archive is damaged, or a member is not an array.
  package init(_ contents: Data, path: String) throws(InterchangeError) {
    self.path = path
    var entries: [String: Entry] = [:]
    for (member, bytes) in try ZipArchive.members(of: contents, path: path) {
      let suffix = ".npy"
      guard member.hasSuffix(suffix), let (header, start) = NumpyHeader.parse(bytes) else {
        throw InterchangeError(
          path, "its member \(member) is not a NumPy array", advice: "use a file written by numpy.savez")
      }
      entries[String(member.dropLast(suffix.count))] = Entry(header: header, elements: bytes[start...])
    }
    // libzip treats an empty file as an archive without members.
    guard !entries.isEmpty else { throw InterchangeError(path, "contains no arrays") }
    self.entries = entries
  }

  /// In alphabetical order.
  package var names: [String] { entries.keys.sorted() }

  /// [] for a scalar; nil if there is no such array.
  package func shape(_ name: String) -> [Int]? { entries[name]?.header.shape }

  /// The elements of an array of floating-point numbers in double or single precision, in row-major order.
  /// - Throws: `InterchangeError` if there is no such array, it has another type, or it is truncated.
  package func doubles(_ name: String) throws(InterchangeError) -> [Double] {
    let entry = try entry(name)
    switch entry.header.type {
    case "<f8": return try words(name, entry).map { Double(bitPattern: UInt64(littleEndian: $0)) }
    case ">f8": return try words(name, entry).map { Double(bitPattern: UInt64(bigEndian: $0)) }
    case "<f4": return try words(name, entry).map { Double(Float(bitPattern: UInt32(littleEndian: $0))) }
    case ">f4": return try words(name, entry).map { Double(Float(bitPattern: UInt32(bigEndian: $0))) }
    default: throw wrongType(name, entry, expected: "float64 or float32")
    }
  }

  /// A single integer.
  /// - Throws: `InterchangeError` if there is no such array, it has another type, or it is truncated.
  package func integer(_ name: String) throws(InterchangeError) -> Int {
    let entry = try entry(name)
    guard entry.header.type == "<i8", entry.header.shape.isEmpty else {
      throw wrongType(name, entry, expected: "a single int64")
    }
    return Int(Int64(littleEndian: try words(name, entry)[0]))
  }

  /// A single string.
  /// - Throws: `InterchangeError` if there is no such array, it has another type, or it is truncated.
  package func text(_ name: String) throws(InterchangeError) -> String {
    let entry = try entry(name)
    guard entry.header.type.hasPrefix("<U"), entry.header.textLength != nil, entry.header.shape.isEmpty else {
      throw wrongType(name, entry, expected: "a single text")
    }
    return try texts(name)[0]
  }

  func entry(_ name: String) throws(InterchangeError) -> Entry {
    guard let entry = entries[name] else {
      throw InterchangeError(
        path, "has no array \(name), but \(names.joined(separator: ", "))", advice: "check that this is the right file")
    }
    return entry
  }

  func wrongType(_ name: String, _ entry: Entry, expected: String) -> InterchangeError {
    InterchangeError(
      path, "\(name) has elements of type \(entry.header.type) in shape \(entry.header.shape), not \(expected)",
      advice: "convert it with NumPy's astype")
  }

  /// The elements' words, row-major, in the file's byte order.
  ///
  /// - Parameter count: the number of words of an element.
  func words<Word: FixedWidthInteger>(
    _ name: String, _ entry: Entry, count: Int = 1
  ) throws(InterchangeError) -> [Word] {
    let size = MemoryLayout<Word>.size
    let shape = entry.header.shape
    guard let bytes = checkedProduct([size, count] + shape) else {
      throw InterchangeError(path, "the shape of \(name) is impossible: \(shape)")
    }
    guard bytes == entry.elements.count else {
      throw InterchangeError(path, "\(name) of shape \(shape) takes \(bytes) bytes, but has \(entry.elements.count)")
    }
    let words = entry.elements.withUnsafeBytes { elements in
      (0..<bytes / size).map { elements.loadUnaligned(fromByteOffset: $0 * size, as: Word.self) }
    }
    guard entry.header.isColumnMajor, count == 1 else { return words }
    let strides = shape.indices.map { shape[..<$0].reduce(1, *) }
    return rowMajor(words, shape: shape, strides: strides)
  }
}
