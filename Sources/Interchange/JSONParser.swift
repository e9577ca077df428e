/// A strict JSON parser (RFC 8259), except that it accepts `NaN`, `Infinity` and `-Infinity`, which Python writes. It
/// rejects nesting deeper than `depthLimit` and duplicate keys.
struct JSONParser {
  static let depthLimit = 64

  /// The position of a syntax error, in bytes from the start, and its description.
  struct Failure: Error {
    let position: Int
    let problem: String
  }

  private let bytes: [UInt8]
  private var position = 0

  /// Parses a whole text.
  static func value(of bytes: [UInt8]) throws(Failure) -> JSONValue {
    var parser = JSONParser(bytes: bytes)
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.position == bytes.count else { throw parser.failure("there is text after the value") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func failure(_ problem: String) -> Failure { Failure(position: position, problem: problem) }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  /// Skips a text if it comes next.
  private mutating func skip(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard bytes.count - position >= count, (0..<count).allSatisfy({ bytes[position + $0] == text.utf8Start[$0] }) else {
      return false
    }
    position += count
    return true
  }

  private mutating func value(depth: Int) throws(Failure) -> JSONValue {
    guard depth <= Self.depthLimit else { throw failure("it is nested more than \(Self.depthLimit) deep") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .list(try list(depth: depth))
    case UInt8(ascii: "\""): return .text(try text())
    case nil: throw failure("it ends too early")
    default: break
    }
    if skip("null") { return .null }
    if skip("true") { return .boolean(true) }
    if skip("false") { return .boolean(false) }
    if skip("NaN") { return .number(.nan) }
    if skip("Infinity") { return .number(.infinity) }
    if skip("-Infinity") { return .number(-.infinity) }
    return try number()
  }

  private mutating func list(depth: Int) throws(Failure) -> [JSONValue] {
    position += 1
    var values: [JSONValue] = []
    skipSpace()
    if skip("]") { return values }
    while true {
      values.append(try value(depth: depth + 1))
      skipSpace()
      if skip("]") { return values }
      guard skip(",") else { throw failure("a list lacks a comma") }
    }
  }

  private mutating func object(depth: Int) throws(Failure) -> [String: JSONValue] {
    position += 1
    var values: [String: JSONValue] = [:]
    skipSpace()
    if skip("}") { return values }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw failure("a key is not a string") }
      let key = try text()
      skipSpace()
      guard skip(":") else { throw failure("a key has no value") }
      guard values.updateValue(try value(depth: depth + 1), forKey: key) == nil else {
        throw failure("there are two values for the key \(key)")
      }
      skipSpace()
      if skip("}") { return values }
      guard skip(",") else { throw failure("an object lacks a comma") }
    }
  }

  private mutating func number() throws(Failure) -> JSONValue {
    let start = position
    _ = skip("-")
    let first = next
    try digits()
    guard first != UInt8(ascii: "0") || position - start == (bytes[start] == UInt8(ascii: "-") ? 2 : 1) else {
      throw failure("a number starts with 0")
    }
    var isWhole = true
    if skip(".") {
      isWhole = false
      try digits()
    }
    if skip("e") || skip("E") {
      isWhole = false
      if !skip("+") { _ = skip("-") }
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let value = Int(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw failure("a number is too large") }
    return .number(value)
  }

  private mutating func digits() throws(Failure) {
    let start = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    guard position > start else { throw failure("there is no value") }
  }

  private mutating func text() throws(Failure) -> String {
    position += 1
    var characters: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: characters, as: UTF8.self) else { throw failure("a string is not UTF-8") }
        return text
      case UInt8(ascii: "\\"): characters += try escaped()
      case 0..<0x20: throw failure("a string has a control character")
      default: characters.append(byte)
      }
    }
    throw failure("a string ends too early")
  }

  /// The characters for an escape sequence.
  private mutating func escaped() throws(Failure) -> [UInt8] {
    guard let byte = next else { throw failure("a string ends too early") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0c]
    case UInt8(ascii: "n"): return [0x0a]
    case UInt8(ascii: "r"): return [0x0d]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if (0xd800..<0xdc00).contains(code) {
        guard skip("\\u") else { throw failure("a surrogate has no partner") }
        let low = try hexadecimal()
        guard (0xdc00..<0xe000).contains(low) else { throw failure("a surrogate has no partner") }
        code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("a surrogate has no partner") }
      return Array(String(Character(scalar)).utf8)
    default: throw failure("an escape is unknown")
    }
  }

  private mutating func hexadecimal() throws(Failure) -> UInt32 {
    guard bytes.count - position >= 4 else { throw failure("a string ends too early") }
    var code: UInt32 = 0
    for byte in bytes[position..<position + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw failure("an escape is unknown") }
      code = code << 4 | UInt32(digit)
    }
    position += 4
    return code
  }
}
