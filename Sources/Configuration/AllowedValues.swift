/// The allowed values of a key, a subset of those of its type.
struct AllowedValues<Value: Sendable>: Sendable {
  /// Completes "must be …"; nil if every value is allowed.
  let description: String?
  let contains: @Sendable (Value) -> Bool

  static var all: Self {
    Self(description: nil) { _ in true }
  }
}

extension AllowedValues where Value: Equatable & CustomStringConvertible {
  static func among(_ values: [Value]) -> Self {
    Self(description: values.map(\.description).joined(separator: " or ")) { values.contains($0) }
  }
}

extension AllowedValues where Value: Comparable {
  static func above(_ bound: Value) -> Self {
    Self(description: "above \(text(bound))") { $0 > bound }
  }

  static func above(_ bound: Value, atMost maximum: Value) -> Self {
    Self(description: "above \(text(bound)) and at most \(text(maximum))") { bound < $0 && $0 <= maximum }
  }

  static func within(_ range: ClosedRange<Value>) -> Self {
    Self(description: "from \(text(range.lowerBound)) to \(text(range.upperBound))", contains: range.contains)
  }

  static func within(_ range: Range<Value>) -> Self {
    let bounds = "at least \(text(range.lowerBound)) and below \(text(range.upperBound))"
    return Self(description: bounds, contains: range.contains)
  }

  /// Strictly between the bounds.
  static func between(_ low: Value, _ high: Value) -> Self {
    Self(description: "above \(text(low)) and below \(text(high))") { low < $0 && $0 < high }
  }

  /// A bound for messages: large powers of ten as `1e9`.
  private static func text(_ bound: Value) -> String {
    guard let number = bound as? Double, let exponent = (6...308).first(where: { abs(number) == Double("1e\($0)") })
    else { return "\(bound)" }
    return (number < 0 ? "-1e" : "1e") + "\(exponent)"
  }
}

extension AllowedValues where Value == String {
  static var notEmpty: Self {
    Self(description: "not empty") { !$0.isEmpty }
  }
}

extension AllowedValues {
  /// A list with an allowed length, all of whose elements are allowed.
  static func list<Element>(of elements: AllowedValues<Element>, counts: ClosedRange<Int>) -> Self
  where Value == [Element] {
    let each = elements.description.map { ", each \($0)" } ?? ""
    let description = "a list of \(counts.lowerBound) to \(counts.upperBound) entries\(each)"
    return Self(description: description) { list in
      counts.contains(list.count) && list.allSatisfy(elements.contains)
    }
  }
}
