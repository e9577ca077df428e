/// A value of a JSON file.
package enum JSONValue: Encodable, Equatable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case list([JSONValue])
  case object([String: JSONValue])

  /// The maximum size of a JSON text in bytes, so that its values fit into memory.
  package static let sizeLimit = 1 << 24

  /// - Parameter path: the name of the file in messages.
  /// - Throws: `InterchangeError` for text that is not JSON, longer than `sizeLimit` or nested too deeply.
  package init(parsing bytes: [UInt8], path: String) throws(InterchangeError) {
    guard bytes.count <= Self.sizeLimit else {
      throw InterchangeError(
        path, "its JSON has \(bytes.count) bytes, more than the limit of \(Self.sizeLimit)",
        advice: "split it into several files")
    }
    do { self = try JSONParser.value(of: bytes) } catch {
      throw InterchangeError(path, "is not JSON: at byte \(error.position) \(error.problem)")
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .boolean(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .list(let values): try container.encode(values)
    case .object(let values): try container.encode(values)
    }
  }

  /// Whether the values are equal; numbers are compared as numbers, so 1 equals 1.0.
  package func means(_ other: JSONValue) -> Bool {
    if let (mine, theirs) = number.flatMap({ mine in other.number.map { (mine, $0) } }) { return mine == theirs }
    return self == other
  }

  package var integer: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  package var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  package var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
  package var text: String? { if case .text(let value) = self { value } else { nil } }
  package var object: [String: JSONValue]? { if case .object(let values) = self { values } else { nil } }
  package var list: [JSONValue]? { if case .list(let values) = self { values } else { nil } }

  /// The elements of a list; nil if this is no list, or an element is of another kind.
  package func elements<Element>(as convert: (JSONValue) -> Element?) -> [Element]? {
    guard let list else { return nil }
    let elements = list.compactMap(convert)
    return elements.count == list.count ? elements : nil
  }
}

extension JSONValue: CustomStringConvertible {
  /// The value as JSON.
  package var description: String {
    switch self {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): "\"\(value)\""
    case .list(let values): "[\(values.map(\.description).joined(separator: ", "))]"
    case .object: "an object"
    }
  }
}
