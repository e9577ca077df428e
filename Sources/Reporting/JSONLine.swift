import Files
import FoundationEssentials

/// A result as one line of JSON, with its keys in snake_case and in order. Terminal control characters are escaped.
/// - Throws: `EncodingError` if a number is not finite.
package func jsonLine(_ result: some Encodable) throws -> String { try plainJSONLine(result).printableJSON }

/// The same without escapes of control characters; times are UTC in whole seconds, `2026-01-31T12:00:00Z` (ISO 8601).
func plainJSONLine(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.keyEncodingStrategy = .convertToSnakeCase
  encoder.dateEncodingStrategy = .iso8601
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// The value in a line that `jsonLine` has written, or that `JournalEntry` has; nil if the line has another form.
package func value<Value: Decodable>(ofJSONLine line: some Sequence<UInt8>) -> Value? {
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  decoder.dateDecodingStrategy = .iso8601
  return try? decoder.decode(Value.self, from: Data(line))
}
