extension NumpyArchive {
  /// NumPy's name of an array's element type, such as `<f8`; nil if there is no such array.
  package func type(_ name: String) -> String? { try? entry(name).header.type }

  /// The elements of an array of unsigned bytes, row-major in its shape.
  /// - Throws: `InterchangeError` if there is no such array, it has another type, or it is truncated.
  package func bytes(_ name: String) throws(InterchangeError) -> [UInt8] {
    let entry = try entry(name)
    guard entry.header.type == "|u1" else { throw wrongType(name, entry, expected: "uint8") }
    return try words(name, entry)
  }

  /// The elements of an array of integers of any width and byte order, or of booleans (0 and 1), row-major.
  /// - Throws: `InterchangeError` if there is no such array, it has another type, it is truncated, or a number exceeds
  ///   2⁶³ − 1.
  package func integers(_ name: String) throws(InterchangeError) -> [Int64] {
    let entry = try entry(name)
    switch entry.header.type.dropFirst() {
    case "b1", "u1": return try integers(name, entry, as: UInt8.self)
    case "i1": return try integers(name, entry, as: Int8.self)
    case "u2": return try integers(name, entry, as: UInt16.self)
    case "i2": return try integers(name, entry, as: Int16.self)
    case "u4": return try integers(name, entry, as: UInt32.self)
    case "i4": return try integers(name, entry, as: Int32.self)
    case "u8": return try integers(name, entry, as: UInt64.self)
    case "i8": return try integers(name, entry, as: Int64.self)
    default: throw wrongType(name, entry, expected: "integers")
    }
  }

  private func integers<Word: FixedWidthInteger>(
    _ name: String, _ entry: Entry, as _: Word.Type
  ) throws(InterchangeError) -> [Int64] {
    let isBigEndian = entry.header.type.hasPrefix(">")
    let stored: [Word] = try words(name, entry)
    return try stored.map { (word) throws(InterchangeError) -> Int64 in
      guard let number = Int64(exactly: isBigEndian ? Word(bigEndian: word) : Word(littleEndian: word)) else {
        throw InterchangeError(path, "a number of \(name) is out of range", advice: "use numbers below 2^63")
      }
      return number
    }
  }

  /// The elements of an array of strings, or of bytes that are UTF-8 strings.
  /// - Throws: `InterchangeError` if there is no such array, it has another type, or it is truncated.
  package func texts(_ name: String) throws(InterchangeError) -> [String] {
    let entry = try entry(name)
    let type = entry.header.type
    guard let length = entry.header.textLength else { throw wrongType(name, entry, expected: "texts") }
    if length == 0 { return entry.header.shape == [0] ? [] : [""] }
    func texts<Encoding: Unicode.Encoding>(
      _ units: [Encoding.CodeUnit], as encoding: Encoding.Type
    ) throws(InterchangeError) -> [String] {
      try stride(from: 0, to: units.count, by: length).map { (start) throws(InterchangeError) -> String in
        // Shorter strings are padded with zeros.
        let characters = units[start..<start + length].prefix { $0 != 0 }
        guard let text = String(validating: characters, as: encoding) else {
          throw InterchangeError(path, "\(name) is not text")
        }
        return text
      }
    }
    if type.hasPrefix("|S") { return try texts(words(name, entry, count: length), as: UTF8.self) }
    let stored: [UInt32] = try words(name, entry, count: length)
    let isBigEndian = type.hasPrefix(">")
    return try texts(
      stored.map { isBigEndian ? UInt32(bigEndian: $0) : UInt32(littleEndian: $0) }, as: UTF32.self)
  }
}
