import Files
import Foundation

/// A result as one line of JSON, with its keys in snake_case and in order. Terminal control characters are escaped.
/// - Throws: `EncodingError` if a number is not finite.
public func jsonLine(_ result: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.keyEncodingStrategy = .convertToSnakeCase
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(result), as: UTF8.self).printableJSON
}
