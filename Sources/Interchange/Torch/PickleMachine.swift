/// Executes a pickle's operations (described in Python's `pickletools`). Values are stored in one array and refer to
/// each other by index, so that nesting or cycles cannot exhaust anything.
struct PickleMachine {
  private(set) var values: [Pickle.Value] = []
  /// The position of the next byte.
  private(set) var position: Int

  private let bytes: UnsafeRawBufferPointer
  private let path: String
  private var stack: [Pickle.Reference] = []
  /// The stack heights at the marks.
  private var marks: [Int] = []
  private var memo: [Int: Pickle.Reference] = [:]

  init(_ bytes: UnsafeRawBufferPointer, from position: Int, path: String) {
    self.bytes = bytes
    self.position = position
    self.path = path
  }

  /// - Returns: the pickled value.
  mutating func run(operationLimit: Int) throws(InterchangeError) -> Pickle.Reference {
    guard try byte() == 0x80, (2...5).contains(try byte()) else {
      throw InterchangeError(path, "has no pickle of protocol 2 to 5 at the expected position")
    }
    for _ in 0..<operationLimit {
      let operation = try byte()
      if operation == UInt8(ascii: ".") { return try pop() }
      try execute(operation)
    }
    throw InterchangeError(
      path, "its pickle has more operations than the limit of \(operationLimit)", advice: Self.advice)
  }

  private static let advice = "save plain data: of a PyTorch model, its state_dict()"

  private mutating func execute(_ operation: UInt8) throws(InterchangeError) {
    switch operation {
    // Numbers.
    case UInt8(ascii: "N"): push(.none)
    case 0x88: push(.boolean(true))
    case 0x89: push(.boolean(false))
    case UInt8(ascii: "J"): push(.integer(Int(Int32(bitPattern: try word()))))
    case UInt8(ascii: "K"): push(.integer(Int(try byte())))
    case UInt8(ascii: "M"): push(.integer(Int(try word() as UInt16)))
    case 0x8a: push(try integer(byteCount: Int(try byte())))
    case 0x8b: push(try integer(byteCount: try length(Int32.self)))
    case UInt8(ascii: "G"): push(.number(Double(bitPattern: (try word() as UInt64).byteSwapped)))

    // Texts and bytes.
    case UInt8(ascii: "X"): push(.text(try text(length(UInt32.self))))
    case 0x8c: push(.text(try text(length(UInt8.self))))
    case 0x8d: push(.text(try text(length(UInt64.self))))
    case UInt8(ascii: "U"), UInt8(ascii: "C"): push(.bytes(try range(length(UInt8.self))))
    case UInt8(ascii: "T"): push(.bytes(try range(length(Int32.self))))
    case UInt8(ascii: "B"): push(.bytes(try range(length(UInt32.self))))
    case 0x8e, 0x96: push(.bytes(try range(length(UInt64.self))))

    // Tuples, lists, dictionaries.
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: ")"): push(.tuple([]))
    case UInt8(ascii: "t"): push(.tuple(try popToMark()))
    case 0x85: push(.tuple(try pop(1)))
    case 0x86: push(.tuple(try pop(2)))
    case 0x87: push(.tuple(try pop(3)))
    case UInt8(ascii: "]"): push(.list([]))
    case UInt8(ascii: "a"): try append(pop(1))
    case UInt8(ascii: "e"): try append(popToMark())
    case UInt8(ascii: "}"): push(.dictionary([]))
    case UInt8(ascii: "s"): try store(pop(2))
    case UInt8(ascii: "u"): try store(popToMark())

    // Objects.
    case UInt8(ascii: "c"): push(.global("\(try line()).\(try line())"))
    case 0x93: try pushGlobal()
    case UInt8(ascii: "R"): try call()
    case UInt8(ascii: "b"): try setState()
    case UInt8(ascii: "Q"): push(.persistent(try pop()))

    // References to earlier values.
    case UInt8(ascii: "q"): memo[Int(try byte())] = try top()
    case UInt8(ascii: "r"): memo[Int(try word() as UInt32)] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): try recall(Int(try byte()))
    case UInt8(ascii: "j"): try recall(Int(try word() as UInt32))

    // The length of a frame, which can be ignored.
    case 0x95: _ = try word() as UInt64

    default:
      throw InterchangeError(
        path,
        "its pickle has the operation 0x\(String(operation, radix: 16)) at byte \(position - 1), which plain data does not "
          + "need and which is not supported", advice: Self.advice)
    }
  }

  // MARK: - The stack

  private mutating func push(_ value: Pickle.Value) {
    stack.append(Pickle.Reference(index: values.count))
    values.append(value)
  }

  private func top() throws(InterchangeError) -> Pickle.Reference {
    guard stack.count > marks.last ?? 0 else { throw damage() }
    return stack[stack.count - 1]
  }

  private mutating func pop() throws(InterchangeError) -> Pickle.Reference {
    let reference = try top()
    stack.removeLast()
    return reference
  }

  private mutating func pop(_ count: Int) throws(InterchangeError) -> [Pickle.Reference] {
    guard stack.count - (marks.last ?? 0) >= count else { throw damage() }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(InterchangeError) -> [Pickle.Reference] {
    guard let mark = marks.popLast() else { throw damage() }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func recall(_ key: Int) throws(InterchangeError) {
    guard let reference = memo[key] else { throw damage() }
    stack.append(reference)
  }

  // MARK: - Changes of what is on the stack

  private mutating func append(_ elements: [Pickle.Reference]) throws(InterchangeError) {
    try change(top()) { value in
      guard case .list(var list) = value else { return nil }
      value = .none
      list += elements
      return .list(list)
    }
  }

  /// - Parameter elements: alternating keys and values.
  private mutating func store(_ elements: [Pickle.Reference]) throws(InterchangeError) {
    guard elements.count.isMultiple(of: 2) else { throw damage() }
    let items = stride(from: 0, to: elements.count, by: 2).map {
      Pickle.Item(key: elements[$0], value: elements[$0 + 1])
    }
    try change(top()) { value in
      switch value {
      case .dictionary(var dictionary):
        value = .none
        dictionary += items
        return .dictionary(dictionary)
      case .call(var call):
        value = .none
        call.items += items
        return .call(call)
      default: return nil
      }
    }
  }

  private mutating func setState() throws(InterchangeError) {
    let state = try pop()
    try change(top()) { value in
      guard case .call(var call) = value else { return nil }
      call.state = state
      return .call(call)
    }
  }

  /// - Parameter body: returns the new value, or nil if the old one is of another kind. It clears the old one first to
  ///   avoid copying its array.
  private mutating func change(
    _ reference: Pickle.Reference, _ body: (inout Pickle.Value) -> Pickle.Value?
  ) throws(InterchangeError) {
    guard let changed = body(&values[reference.index]) else { throw damage() }
    values[reference.index] = changed
  }

  private mutating func call() throws(InterchangeError) {
    let (arguments, function) = (try pop(), try pop())
    guard case .tuple(let elements) = values[arguments.index], case .global(let name) = values[function.index] else {
      throw damage()
    }
    push(.call(Pickle.Call(function: name, arguments: elements)))
  }

  private mutating func pushGlobal() throws(InterchangeError) {
    let (name, module) = (try pop(), try pop())
    guard case .text(let name) = values[name.index], case .text(let module) = values[module.index] else {
      throw damage()
    }
    push(.global("\(module).\(name)"))
  }

  // MARK: - Bytes

  private mutating func byte() throws(InterchangeError) -> UInt8 {
    guard position < bytes.count else { throw cutShort() }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func word<Word: FixedWidthInteger>() throws(InterchangeError) -> Word {
    let range = try range(MemoryLayout<Word>.size)
    return Word(littleEndian: bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: Word.self))
  }

  private mutating func length<Word: FixedWidthInteger>(_ type: Word.Type) throws(InterchangeError) -> Int {
    guard let length = Int(exactly: try word() as Word), length >= 0 else { throw cutShort() }
    return length
  }

  private mutating func range(_ count: Int) throws(InterchangeError) -> Range<Int> {
    guard count <= bytes.count - position else { throw cutShort() }
    defer { position += count }
    return position..<position + count
  }

  private mutating func text(_ count: Int) throws(InterchangeError) -> String {
    guard let text = String(validating: bytes[try range(count)], as: UTF8.self) else { throw damage() }
    return text
  }

  private mutating func line() throws(InterchangeError) -> String {
    guard let length = bytes[position...].firstIndex(of: UInt8(ascii: "\n")).map({ $0 - position }) else {
      throw cutShort()
    }
    let line = try text(length)
    position += 1
    return line
  }

  private mutating func integer(byteCount: Int) throws(InterchangeError) -> Pickle.Value {
    let digits = bytes[try range(byteCount)]
    guard digits.count <= MemoryLayout<Int>.size else { return .longInteger(Array(digits)) }
    let isNegative = (digits.last ?? 0) >= 0x80
    return .integer(digits.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) })
  }

  private func cutShort() -> InterchangeError { InterchangeError(path, "its pickle is truncated") }

  private func damage() -> InterchangeError {
    InterchangeError(path, "its pickle is invalid before byte \(position)")
  }
}
