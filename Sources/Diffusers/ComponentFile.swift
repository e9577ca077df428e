import Files
import Foundation
import Interchange

/// The configuration of one part of a pipeline, as diffusers stores it: the arguments of a class in Python.
struct ComponentFile: Sendable {
  /// What messages call the file.
  let path: String
  let values: [String: JSONValue]

  init(path: String, values: [String: JSONValue]) {
    self.path = path
    self.values = values
  }

  /// - Throws: `InterchangeError` for a file that cannot be read or holds no JSON object.
  init(readingFrom path: String) throws(InterchangeError) {
    let bytes: [UInt8]
    do { bytes = try readBytes(at: path, limit: JSONValue.sizeLimit) } catch {
      throw InterchangeError(path, "cannot be read: \(error.reason)", advice: "check the path and who may read it")
    }
    guard case .object(let values) = try JSONValue(parsing: bytes, path: path) else {
      throw InterchangeError(path, "is no JSON object")
    }
    self.init(path: path, values: values)
  }

  /// The file's bytes, keys in alphabetical order.
  var contents: Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(values) else { preconditionFailure("finite numbers and texts are JSON") }
    return data + Data("\n".utf8)
  }

  /// The Python class that it is for.
  var className: String? { values["_class_name"]?.text }

  /// The value of a key, or what diffusers takes if there is none. (A key that is `null` has a value.)
  func value(_ key: String, default assumed: JSONValue) -> JSONValue { values[key] ?? assumed }

  func integer(_ key: String, default assumed: JSONValue) throws(InterchangeError) -> Int {
    try read(key, assumed, "a whole number", \.integer)
  }

  func number(_ key: String, default assumed: JSONValue) throws(InterchangeError) -> Double {
    try read(key, assumed, "a number", \.number)
  }

  func boolean(_ key: String, default assumed: JSONValue) throws(InterchangeError) -> Bool {
    try read(key, assumed, "true or false", \.boolean)
  }

  func text(_ key: String, default assumed: JSONValue) throws(InterchangeError) -> String {
    try read(key, assumed, "a text", \.text)
  }

  func integers(_ key: String, default assumed: JSONValue) throws(InterchangeError) -> [Int] {
    try read(key, assumed, "a list of whole numbers") { all($0.list?.map(\.integer)) }
  }

  func numbers(_ key: String, default assumed: JSONValue) throws(InterchangeError) -> [Double] {
    try read(key, assumed, "a list of numbers") { all($0.list?.map(\.number)) }
  }

  func texts(_ key: String, default assumed: JSONValue) throws(InterchangeError) -> [String] {
    try read(key, assumed, "a list of texts") { all($0.list?.map(\.text)) }
  }

  /// Why the file cannot be used, with the key at fault.
  func refusal(_ key: String, _ problem: String, advice: String = Self.usualAdvice) -> InterchangeError {
    InterchangeError("\(path): \(key)", problem, advice: advice)
  }

  static let usualAdvice = "docs/interchange.md lists which models move"

  private func all<Element>(_ elements: [Element?]?) -> [Element]? {
    guard let elements else { return nil }
    let known = elements.compactMap(\.self)
    return known.count == elements.count ? known : nil
  }

  private func read<Value>(
    _ key: String, _ assumed: JSONValue, _ expected: String, _ convert: (JSONValue) -> Value?
  ) throws(InterchangeError) -> Value {
    let value = value(key, default: assumed)
    guard let converted = convert(value) else {
      throw refusal(key, "is \(value), but must be \(expected)", advice: "correct the file")
    }
    return converted
  }
}
