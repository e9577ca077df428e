import TextFormatting

/// The header of an array in NumPy's format: a magic string, a version, a length and a Python dictionary (NumPy
/// Enhancement Proposal 1).
struct NumpyHeader: Equatable {
  /// NumPy's name of the element type, such as `<f8`: byte order, kind, bytes (for strings, characters). For elements of
  /// several parts, a list of their names and types.
  let type: String
  /// Whether the first index varies fastest in the file, instead of the last.
  let isColumnMajor: Bool
  let shape: [Int]

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// NumPy aligns the elements to multiples of this.
  private static let alignment = 64

  init(type: String, isColumnMajor: Bool = false, shape: [Int]) {
    self.type = type
    self.isColumnMajor = isColumnMajor
    self.shape = shape
  }

  /// The characters (`U`) or bytes (`S`) of each string; nil for other types.
  var textLength: Int? { ["U", "S"].contains(type.dropFirst().first) ? Int(type.dropFirst(2)) : nil }

  /// - Returns: nil unless `contents` starts with such a header; otherwise the header and the offset of the first
  ///   element.
  static func parse(_ contents: [UInt8]) -> (header: NumpyHeader, elements: Int)? {
    guard contents.count >= magic.count + 4, contents.starts(with: magic) else { return nil }
    // Versions differ in the width of the length and the encoding of the dictionary.
    let version = contents[magic.count]
    let lengthBytes = version == 1 ? 2 : 4
    let start = magic.count + 2 + lengthBytes
    guard (1...3).contains(version), contents.count >= start else { return nil }
    let length = contents[(start - lengthBytes)..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    // NumPy's own limit is 10,000.
    guard length <= contents.count - start, length <= 1 << 16 else { return nil }
    let text = String(decoding: contents[start..<start + length], as: UTF8.self)
    let list = text.firstMatch(of: /'descr'\s*:\s*(\[.*\])\s*,\s*'fortran_order'/)?.1
    guard let type = text.firstMatch(of: /'descr'\s*:\s*'([^']*)'/)?.1 ?? list,
      let order = text.firstMatch(of: /'fortran_order'\s*:\s*(True|False)/)?.1,
      let sizes = text.firstMatch(of: /'shape'\s*:\s*\(([0-9L,\s]*)\)/)?.1
    else { return nil }
    let parts = sizes.split(separator: ",").map { $0.trimmedOfBlanks }.filter { !$0.isEmpty }
    // Python 2's notation for long integers.
    let shape = parts.compactMap { Int($0.hasSuffix("L") ? $0.dropLast() : Substring($0)) }
    guard shape.count == parts.count else { return nil }
    return (NumpyHeader(type: String(type), isColumnMajor: order == "True", shape: shape), start + length)
  }

  /// In version 1.0, which every reader supports.
  var bytes: [UInt8] {
    let sizes = shape.count == 1 ? "\(shape[0])," : shape.map { "\($0)" }.joined(separator: ", ")
    var text = "{'descr': '\(type)', 'fortran_order': \(isColumnMajor ? "True" : "False"), 'shape': (\(sizes)), }"
    let before = Self.magic.count + 4
    let end = before + text.utf8.count + 1
    text += String(repeating: " ", count: (Self.alignment - end % Self.alignment) % Self.alignment) + "\n"
    let length = text.utf8.count
    precondition(length < 1 << 16, "the shape has too many dimensions")
    return Self.magic + [1, 0, UInt8(length & 0xff), UInt8(length >> 8)] + Array(text.utf8)
  }
}
