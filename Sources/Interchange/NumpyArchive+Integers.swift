extension NumpyArchive {
  /// NumPy's name of an array's element type, such as `<f8`; nil if there is no such array.
  public func type(_ name: String) -> String? { try? entry(name).header.type }

  /// The elements of an array of unsigned bytes, row-major in its shape.
  /// - Throws: `InterchangeError` if there is no such array, it has another type, or it is truncated.
  public func bytes(_ name: String) throws(InterchangeError) -> [UInt8] {
    let entry = try entry(name)
    guard entry.header.type == "|u1" else { throw wrongType(name, entry, expected: "uint8") }
    let stored: [UInt8] = try words(name, entry)
    return entry.header.isColumnMajor ? Self.rowMajor(stored, shape: entry.header.shape) : stored
  }

  /// The elements of an array of integers of any width and byte order, or of booleans (0 and 1), row-major.
  /// - Throws: `InterchangeError` if there is no such array, it has another type, it is truncated, or a number exceeds
  ///   2⁶³ − 1.
  public func integers(_ name: String) throws(InterchangeError) -> [Int64] {
    let entry = try entry(name)
    let stored: [Int64]
    let type = entry.header.type
    switch type.dropFirst() {
    case "b1", "u1": stored = try integers(name, entry, as: UInt8.self)
    case "i1": stored = try integers(name, entry, as: Int8.self)
    case "u2": stored = try integers(name, entry, as: UInt16.self)
    case "i2": stored = try integers(name, entry, as: Int16.self)
    case "u4": stored = try integers(name, entry, as: UInt32.self)
    case "i4": stored = try integers(name, entry, as: Int32.self)
    case "u8": stored = try integers(name, entry, as: UInt64.self)
    case "i8": stored = try integers(name, entry, as: Int64.self)
    default: throw wrongType(name, entry, expected: "integers")
    }
    return entry.header.isColumnMajor ? Self.rowMajor(stored, shape: entry.header.shape) : stored
  }

  private func integers<Word: FixedWidthInteger>(
    _ name: String, _ entry: Entry, as _: Word.Type
  ) throws(InterchangeError) -> [Int64] {
    let isBigEndian = entry.header.type.hasPrefix(">")
    let stored: [Word] = try words(name, entry)
    var numbers: [Int64] = []
    numbers.reserveCapacity(stored.count)
    for word in stored {
      guard let number = Int64(exactly: isBigEndian ? Word(bigEndian: word) : Word(littleEndian: word)) else {
        throw InterchangeError(path, "a number of \(name) is out of range", advice: "use numbers below 2^63")
      }
      numbers.append(number)
    }
    return numbers
  }

  /// The elements of an array of strings, or of bytes that are UTF-8 strings.
  /// - Throws: `InterchangeError` if there is no such array, it has another type, or it is truncated.
  public func texts(_ name: String) throws(InterchangeError) -> [String] {
    let entry = try entry(name)
    let type = entry.header.type
    guard let length = Int(type.dropFirst(2)), ["U", "S"].contains(type.dropFirst().first) else {
      throw wrongType(name, entry, expected: "texts")
    }
    if length == 0 { return entry.header.shape == [0] ? [] : [""] }
    let isNoText = InterchangeError(path, "\(name) is not text")
    if type.hasPrefix("|S") {
      let bytes: [UInt8] = try words(name, entry, count: length)
      var texts: [String] = []
      for start in stride(from: 0, to: bytes.count, by: length) {
        let text = bytes[start..<start + length].prefix { $0 != 0 }
        guard let text = String(validating: text, as: UTF8.self) else { throw isNoText }
        texts.append(text)
      }
      return texts
    }
    let characters: [UInt32] = try words(name, entry, count: length)
    let isBigEndian = type.hasPrefix(">")
    var texts: [String] = []
    for start in stride(from: 0, to: characters.count, by: length) {
      var text = ""
      for stored in characters[start..<start + length] {
        let character = isBigEndian ? UInt32(bigEndian: stored) : UInt32(littleEndian: stored)
        // Shorter strings are padded with zeros.
        if character == 0 { break }
        guard let scalar = Unicode.Scalar(character) else { throw isNoText }
        text.unicodeScalars.append(scalar)
      }
      texts.append(text)
    }
    return texts
  }
}
