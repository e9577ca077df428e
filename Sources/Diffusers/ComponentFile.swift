import Files
import FoundationEssentials
import Interchange

/// The configuration of one component of a pipeline, as stored by diffusers: the arguments of a Python class.
struct ComponentFile: Sendable {
  /// The name of the file in messages.
  let path: String
  let values: [String: JSONValue]

  init(path: String, values: [String: JSONValue]) {
    self.path = path
    self.values = values
  }

  /// - Throws: `InterchangeError` for a file that cannot be read or is not a JSON object.
  init(readingFrom path: String) throws(InterchangeError) {
    let bytes: [UInt8]
    do { bytes = try readBytes(at: path, limit: JSONValue.sizeLimit) } catch {
      throw InterchangeError(path, "cannot be read: \(error.reason)", advice: "check the path and its permissions")
    }
    guard case .object(let values) = try JSONValue(parsing: bytes, path: path) else {
      throw InterchangeError(path, "is not a JSON object")
    }
    self.init(path: path, values: values)
  }

  /// The contents of the file, with keys in alphabetical order.
  var contents: Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(values) else { preconditionFailure("finite numbers and texts are JSON") }
    return data + Data("\n".utf8)
  }

  /// The Python class of the component.
  var className: String? { values["_class_name"]?.text }

  /// The value of a key, or diffusers' default if it is missing. (A key that is `null` has a value.)
  func value(_ key: String, default assumed: JSONValue) -> JSONValue { values[key] ?? assumed }

  func integer(_ key: String, default assumed: JSONValue) throws(InterchangeError) -> Int {
    try read(key, assumed, "an integer", \.integer)
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

  /// The meaning of a text that must be one of `names`.
  func choice<Value>(_ key: String, default assumed: String, among names: [Value: String]) throws(InterchangeError)
    -> Value
  {
    let name = try text(key, default: .text(assumed))
    guard let value = names.first(where: { $0.value == name })?.key else {
      throw refusal(key, "is \(name); supported are \(names.values.sorted().joined(separator: ", "))")
    }
    return value
  }

  func integers(_ key: String, default assumed: JSONValue) throws(InterchangeError) -> [Int] {
    try read(key, assumed, "a list of integers") { $0.elements(as: \.integer) }
  }

  func numbers(_ key: String, default assumed: JSONValue) throws(InterchangeError) -> [Double] {
    try read(key, assumed, "a list of numbers") { $0.elements(as: \.number) }
  }

  func texts(_ key: String, default assumed: JSONValue) throws(InterchangeError) -> [String] {
    try read(key, assumed, "a list of texts") { $0.elements(as: \.text) }
  }

  /// The error for a file that cannot be used because of a key.
  func refusal(_ key: String, _ problem: String, advice: String = Self.usualAdvice) -> InterchangeError {
    InterchangeError("\(path): \(key)", problem, advice: advice)
  }

  static let usualAdvice = "docs/interchange.md lists the supported models"

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
