import Foundation

/// What a pickle of Python's says, read without running anything.
///
/// A pickle is a program for a machine with a stack, which can call any function of Python's. This knows the operations
/// that write plain data, of protocols 2 to 5, and notes a call as the function's name with its arguments; what to make of
/// it is up to the caller, who looks for the few names that it knows. All other operations are refused.
public struct Pickle: Sendable {
  /// A value's place among the values. An object that occurs twice is one value.
  public struct Reference: Sendable, Hashable {
    let index: Int
  }

  public struct Item: Sendable {
    public let key: Reference
    public let value: Reference
  }

  public enum Value: Sendable {
    case none
    case boolean(Bool)
    case integer(Int)
    /// A whole number that 64 bits do not hold: two's complement, little-endian.
    case longInteger([UInt8])
    case number(Double)
    case text(String)
    /// Bytes, or a text of Python 2's: their place in the file.
    case bytes(Range<Int>)
    case tuple([Reference])
    case list([Reference])
    case dictionary([Item])
    /// A function or a class, as `module.name`.
    case global(String)
    /// What is stored elsewhere, by the identifier that its writer has given it.
    case persistent(Reference)
    indirect case call(Call)
  }

  /// What a function would have made.
  public struct Call: Sendable {
    /// As `module.name`.
    public let function: String
    public let arguments: [Reference]
    /// What its attributes would have been set from.
    public internal(set) var state: Reference?
    /// What would have been stored in it under keys.
    public internal(set) var items: [Item] = []
  }

  /// The file's bytes.
  public let contents: Data
  /// What the pickle is of.
  public let root: Reference
  /// The place in the file after the pickle's last byte.
  public let end: Int
  let values: [Value]

  /// Operations of a pickle, and so values in it, unless a caller asks for more: some hundred MiB of memory.
  public static let operationLimit = 1 << 22

  /// - Parameters:
  ///   - contents: the whole file's bytes.
  ///   - start: the place of the pickle's first byte; others may stand before it, and anything after it.
  ///   - path: what messages call the file.
  /// - Throws: `InterchangeError` if the pickle is cut short, has other operations or more than the limit.
  public init(
    _ contents: Data, from start: Int = 0, path: String, operationLimit: Int = Self.operationLimit
  ) throws(InterchangeError) {
    let outcome = contents.withUnsafeBytes { bytes in
      Result { () throws(InterchangeError) in
        var machine = PickleMachine(bytes, from: start, path: path)
        let root = try machine.run(operationLimit: operationLimit)
        return (machine.values, root, machine.position)
      }
    }
    (values, root, end) = try outcome.get()
    self.contents = contents
  }

  public subscript(reference: Reference) -> Value { values[reference.index] }

  public func integer(_ reference: Reference) -> Int? {
    if case .integer(let value) = self[reference] { value } else { nil }
  }

  /// A text, also one of Python 2's.
  public func text(_ reference: Reference) -> String? {
    switch self[reference] {
    case .text(let text): text
    case .bytes: bytes(reference).flatMap { String(validating: $0, as: UTF8.self) }
    default: nil
    }
  }

  public func bytes(_ reference: Reference) -> Data? {
    guard case .bytes(let range) = self[reference] else { return nil }
    return contents[contents.startIndex + range.lowerBound..<contents.startIndex + range.upperBound]
  }

  /// Of a tuple or a list.
  public func elements(_ reference: Reference) -> [Reference]? {
    switch self[reference] {
    case .tuple(let elements), .list(let elements): elements
    default: nil
    }
  }

  /// Of a dictionary, ordered or not, in the order in which they were stored. A key that occurs twice has the last value.
  public func items(_ reference: Reference) -> [Item]? {
    switch self[reference] {
    case .dictionary(let items): items
    case .call(let call) where call.function == "collections.OrderedDict" && call.arguments.isEmpty: call.items
    default: nil
    }
  }

  public func call(_ reference: Reference) -> Call? {
    if case .call(let call) = self[reference] { call } else { nil }
  }
}
