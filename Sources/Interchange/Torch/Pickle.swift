import FoundationEssentials

/// The contents of a Python pickle, read without running any code.
///
/// A pickle is a program for a stack machine, which can call any Python function. This parser supports the operations
/// that write plain data, of protocols 2 to 5, and records a call as the function's name with its arguments; the caller
/// interprets the few names that it knows. All other operations are rejected.
package struct Pickle: Sendable {
  /// The index of a value. An object that occurs twice is one value.
  package struct Reference: Sendable, Hashable {
    let index: Int
  }

  package struct Item: Sendable {
    package let key: Reference
    package let value: Reference
  }

  package enum Value: Sendable {
    case none
    case boolean(Bool)
    case integer(Int)
    /// An integer that does not fit into 64 bits: two's complement, little-endian.
    case longInteger([UInt8])
    case number(Double)
    case text(String)
    /// Bytes, or a Python 2 string: their position in the file.
    case bytes(Range<Int>)
    case tuple([Reference])
    case list([Reference])
    case dictionary([Item])
    /// A function or a class, as `module.name`.
    case global(String)
    /// An object stored elsewhere, by its writer's identifier.
    case persistent(Reference)
    indirect case call(Call)
  }

  /// The call of a function.
  package struct Call: Sendable {
    /// In the form `module.name`.
    package let function: String
    package let arguments: [Reference]
    /// The state that its attributes would have been set from.
    package internal(set) var state: Reference?
    /// The items that would have been stored in the result.
    package internal(set) var items: [Item] = []
  }

  /// The contents of the file.
  package let contents: Data
  /// The pickled value.
  package let root: Reference
  /// The offset after the pickle's last byte.
  package let end: Int
  let values: [Value]

  /// The default limit on the number of operations, and so of values: some hundred MiB of memory.
  package static let operationLimit = 1 << 22

  /// - Parameters:
  ///   - contents: the contents of the file.
  ///   - start: the offset of the pickle's first byte; other pickles may precede it, and anything may follow it.
  ///   - path: the name of the file in messages.
  /// - Throws: `InterchangeError` if the pickle is truncated, has unsupported operations or exceeds the limit.
  package init(
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

  package subscript(reference: Reference) -> Value { values[reference.index] }

  package func integer(_ reference: Reference) -> Int? {
    if case .integer(let value) = self[reference] { value } else { nil }
  }

  /// A string, including a Python 2 string.
  package func text(_ reference: Reference) -> String? {
    switch self[reference] {
    case .text(let text): text
    case .bytes: bytes(reference).flatMap { String(validating: $0, as: UTF8.self) }
    default: nil
    }
  }

  package func bytes(_ reference: Reference) -> Data? {
    guard case .bytes(let range) = self[reference] else { return nil }
    return contents[contents.startIndex + range.lowerBound..<contents.startIndex + range.upperBound]
  }

  /// The elements of a tuple or a list.
  package func elements(_ reference: Reference) -> [Reference]? {
    switch self[reference] {
    case .tuple(let elements), .list(let elements): elements
    default: nil
    }
  }

  /// The items of a dictionary, ordered or not, in the order in which they were stored. A key that occurs twice has the
  /// last value.
  package func items(_ reference: Reference) -> [Item]? {
    switch self[reference] {
    case .dictionary(let items): items
    case .call(let call) where call.function == "collections.OrderedDict" && call.arguments.isEmpty: call.items
    default: nil
    }
  }

  package func call(_ reference: Reference) -> Call? {
    if case .call(let call) = self[reference] { call } else { nil }
  }
}
