/// The types of real numbers in NumPy's files: floating-point numbers and integers of up to 64 bits in any byte order,
/// and booleans, which are 0 and 1.
package struct NumberType: Sendable, Equatable {
  private enum Kind: Character {
    case float = "f"
    case signed = "i"
    case unsigned = "u"
    case boolean = "b"
  }

  private let kind: Kind
  package let byteCount: Int
  private let isBigEndian: Bool

  /// Whether these are numbers from 0 to 255 in a byte each.
  package var isByte: Bool { kind == .unsigned && byteCount == 1 }
  package var isBoolean: Bool { kind == .boolean }

  /// What these types are, for messages.
  package static let description = "real numbers of up to 64 bits"

  /// - Parameter numpyName: such as `<f4` or `|u1`; nil for any other type than real numbers.
  package init?(numpyName: String) {
    let characters = Array(numpyName)
    guard characters.count == 3, "<>|=".contains(characters[0]), let kind = Kind(rawValue: characters[1]),
      let byteCount = characters[2].wholeNumberValue, [1, 2, 4, 8].contains(byteCount), kind != .float || byteCount > 1,
      kind != .boolean || byteCount == 1
    else { return nil }
    self.kind = kind
    self.byteCount = byteCount
    isBigEndian = characters[0] == ">"
  }

  /// Converts the numbers, each to the nearest one of the result's type.
  func values<Value: BinaryFloatingPoint>(_ bytes: UnsafeRawBufferPointer, as _: Value.Type) -> [Value] {
    switch (kind, byteCount) {
    case (.float, 2): words(bytes) { Value(FloatType.single(half: $0)) }
    case (.float, 4): words(bytes) { Value(Float(bitPattern: $0)) }
    case (.float, _): words(bytes) { Value(Double(bitPattern: $0)) }
    case (.signed, 1): words(bytes) { (word: Int8) in Value(word) }
    case (.signed, 2): words(bytes) { (word: Int16) in Value(word) }
    case (.signed, 4): words(bytes) { (word: Int32) in Value(word) }
    case (.signed, _): words(bytes) { (word: Int64) in Value(word) }
    case (.unsigned, 1): words(bytes) { (word: UInt8) in Value(word) }
    case (.unsigned, 2): words(bytes) { (word: UInt16) in Value(word) }
    case (.unsigned, 4): words(bytes) { (word: UInt32) in Value(word) }
    case (.unsigned, _): words(bytes) { (word: UInt64) in Value(word) }
    case (.boolean, _): words(bytes) { (word: UInt8) in Value(min(word, 1)) }
    }
  }

  private func words<Word: FixedWidthInteger, Value>(
    _ bytes: UnsafeRawBufferPointer, _ convert: (Word) -> Value
  ) -> [Value] {
    let size = MemoryLayout<Word>.size
    return (0..<bytes.count / size).map { index in
      let word = bytes.loadUnaligned(fromByteOffset: index * size, as: Word.self)
      return convert(isBigEndian ? Word(bigEndian: word) : Word(littleEndian: word))
    }
  }
}
