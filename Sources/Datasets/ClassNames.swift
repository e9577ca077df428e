/// Lists of classes, which are identified by the bytes of their names and, if several have the same name, by their
/// order.
package enum ClassNames {
  private struct Key: Hashable {
    let name: [UInt8]
    /// The number of preceding classes with the same name.
    let number: Int
  }

  /// The classes of all lists: unchanged if all lists are equal, otherwise sorted by name. Two classes with the same
  /// name in one list remain two.
  package static func union(_ lists: [[String]]) -> [String] {
    let all = lists.map(keys)
    guard let first = all.first, !all.allSatisfy({ $0 == first }) else { return lists.first ?? [] }
    return Set(all.joined()).sorted {
      $0.name == $1.name ? $0.number < $1.number : $0.name.lexicographicallyPrecedes($1.name)
    }.map { String(decoding: $0.name, as: UTF8.self) }
  }

  /// The indices of a list's classes in another list; nil for a class that it does not contain.
  static func indices(of names: [String], in others: [String]) -> [Int?] {
    let indices = Dictionary(uniqueKeysWithValues: keys(others).enumerated().map { ($1, $0) })
    return keys(names).map { indices[$0] }
  }

  /// The names for a message, shortened if there are many.
  package static func list(_ names: [String]) -> String {
    if names.isEmpty { return "none" }
    return names.prefix(20).joined(separator: ", ") + (names.count > 20 ? " and \(names.count - 20) more" : "")
  }

  private static func keys(_ names: [String]) -> [Key] {
    var counts: [[UInt8]: Int] = [:]
    return names.map { name in
      let bytes = Array(name.utf8)
      defer { counts[bytes, default: 0] += 1 }
      return Key(name: bytes, number: counts[bytes, default: 0])
    }
  }
}
