/// Finds the most likely intended name for a misspelt one.
enum Suggestion {
  /// The candidate nearest to `text`, if it is near enough to be a likely typing error.
  ///
  /// Names with sections are also compared by their last part, so that `batch` and `model.batch` find `training.batch`.
  static func nearest(to text: String, among candidates: [String]) -> String? {
    func lastPart(_ name: String) -> String { name.split(separator: ".").last.map(String.init) ?? name }
    let part = lastPart(text)
    let maximum = max(1, part.count / 3)
    let distances = candidates.map { candidate in
      let byPart = editDistance(part, lastPart(candidate))
      return min(editDistance(text, candidate), byPart <= maximum ? byPart + 1 : .max)
    }
    let nearest = zip(candidates, distances).min { $0.1 < $1.1 }
    return nearest.flatMap { $0.1 <= maximum ? $0.0 : nil }
  }

  /// The minimum number of insertions, deletions, replacements and swaps of neighbours that turn one text into the
  /// other (the optimal string alignment distance).
  static func editDistance(_ first: String, _ second: String) -> Int {
    let a = Array(first)
    let b = Array(second)
    var beforePrevious = [Int](repeating: 0, count: b.count + 1)
    var previous = Array(0...b.count)
    for i in 0..<a.count {
      var current = [i + 1]
      for j in 0..<b.count {
        var distance = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          distance = min(distance, beforePrevious[j - 1] + 1)
        }
        current.append(distance)
      }
      beforePrevious = previous
      previous = current
    }
    return previous[b.count]
  }
}
