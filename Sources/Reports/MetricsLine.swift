import FoundationEssentials
import Glibc

/// A line of metrics.jsonl: a JSON object with the integer `step` and other values.
struct MetricsLine {
  /// The maximum step of training; beyond it, doubles cannot represent all integers.
  static let stepLimit = 1 << 53

  private(set) var step: Int?
  /// The names' positions in the line, and the values; nil for one that is not finite.
  private(set) var fields: [(name: Range<Int>, value: Double?)] = []

  /// Parses a line in the form that training writes: plain names, numbers and null.
  /// - Returns: whether it has this form; other lines may still be JSON.
  mutating func read(_ line: UnsafeRawBufferPointer) -> Bool {
    step = nil
    fields.removeAll(keepingCapacity: true)
    var scanner = Scanner(line: line)
    guard scanner.take("{") else { return false }
    repeat {
      guard let name = scanner.name(), scanner.take(":") else { return false }
      var value: Double?
      if !scanner.takeNull() {
        value = scanner.number()
        guard value != nil else { return false }
      }
      if line[name].elementsEqual("step".utf8) {
        guard let step = value.flatMap(Self.step) else { return false }
        self.step = step
      } else {
        fields.append((name, value))
      }
    } while scanner.take(",")
    return scanner.take("}") && scanner.isAtEnd && step != nil
  }

  static func step(_ number: Double) -> Int? {
    guard number >= 0, number <= Double(stepLimit), let step = Int(exactly: number) else { return nil }
    return step
  }

  private struct Scanner {
    let line: UnsafeRawBufferPointer
    var position = 0

    var isAtEnd: Bool {
      mutating get {
        skipSpace()
        return position == line.count
      }
    }

    private var next: UInt8 { position < line.count ? line[position] : 0 }

    private mutating func skipSpace() {
      while next == 0x20 || next == 0x09 || next == 0x0d { position += 1 }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      skipSpace()
      guard position < line.count, line[position] == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    /// A string of printable ASCII without escapes.
    mutating func name() -> Range<Int>? {
      guard take("\"") else { return nil }
      let start = position
      while next >= 0x20 && next < 0x7f && next != UInt8(ascii: "\"") && next != UInt8(ascii: "\\") { position += 1 }
      let end = position
      return next == UInt8(ascii: "\"") && take("\"") ? start..<end : nil
    }

    mutating func takeNull() -> Bool {
      skipSpace()
      guard line.count - position >= 4, line[position..<position + 4].elementsEqual("null".utf8) else { return false }
      position += 4
      return true
    }

    private mutating func takeDigits() -> Int {
      let start = position
      while next >= UInt8(ascii: "0") && next <= UInt8(ascii: "9") { position += 1 }
      return position - start
    }

    /// A finite number in JSON's syntax.
    mutating func number() -> Double? {
      skipSpace()
      let start = position
      if next == UInt8(ascii: "-") { position += 1 }
      let beginsWithZero = next == UInt8(ascii: "0")
      let digits = takeDigits()
      guard digits > 0, !(beginsWithZero && digits > 1) else { return nil }
      if next == UInt8(ascii: ".") {
        position += 1
        guard takeDigits() > 0 else { return nil }
      }
      if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
        position += 1
        if next == UInt8(ascii: "-") || next == UInt8(ascii: "+") { position += 1 }
        guard takeDigits() > 0 else { return nil }
      }
      // strtod stops at the character after a number, which the line must contain.
      guard position < line.count, let text = line.baseAddress else { return nil }
      let value = strtod(text.assumingMemoryBound(to: CChar.self) + start, nil)
      return value.isFinite ? value : nil
    }
  }
}

extension MetricsLine {
  /// Parses any other JSON object, which is slower.
  static func decode(_ line: UnsafeRawBufferPointer) -> (step: Int, values: [(name: String, value: Double?)])? {
    guard let text = String(validating: line, as: UTF8.self),
      let record = try? JSONDecoder().decode([String: Value].self, from: Data(text.utf8)),
      case .number(let number)? = record["step"], let step = step(number)
    else { return nil }
    var values: [(name: String, value: Double?)] = []
    for (name, value) in record where name != "step" {
      switch value {
      case .number(let number): values.append((name, number))
      case .null: values.append((name, nil))
      case .other: break
      }
    }
    return (step, values)
  }

  private enum Value: Decodable {
    case number(Double)
    case null
    case other

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      self =
        container.decodeNil()
        ? .null
        : (try? container.decode(Double.self)).flatMap { $0.isFinite ? .number($0) : nil } ?? .other
    }
  }
}
