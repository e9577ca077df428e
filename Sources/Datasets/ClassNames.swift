/// Lists of classes, which are distinguished by their names' bytes and, where several have one name, by their order.
public enum ClassNames {
  private struct Key: Hashable {
    let name: [UInt8]
    /// How many classes of this name come before.
    let number: Int
  }

  /// The classes of all lists: as they are if all are the same, otherwise in the order of their names. Two classes of
  /// one name in a list stay two.
  public static func union(_ lists: [[String]]) -> [String] {
    let all = lists.map(keys)
    guard let first = all.first, !all.allSatisfy({ $0 == first }) else { return lists.first ?? [] }
    return Set(all.joined()).sorted {
      $0.name == $1.name ? $0.number < $1.number : $0.name.lexicographicallyPrecedes($1.name)
    }.map { String(decoding: $0.name, as: UTF8.self) }
  }

  /// The places of a list's classes among others; nil for a class that is not there.
  static func indices(of names: [String], in others: [String]) -> [Int?] {
    let indices = Dictionary(uniqueKeysWithValues: keys(others).enumerated().map { ($1, $0) })
    return keys(names).map { indices[$0] }
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
