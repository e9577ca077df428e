/// The levels of a variable that become channels.
struct FieldLevels: Equatable {
  /// Indices along the variable's axis of levels, in the order of the channels.
  let indices: [Int]
  /// The channels' names.
  let names: [String]

  /// - Parameters:
  ///   - name: the variable's.
  ///   - axis: the coordinates of the levels, if there are any.
  ///   - isSinglePrecision: whether they are stored so. 0.1 is then the nearest number in single precision.
  ///   - count: the number of levels; 1 if the variable has no axis of levels.
  ///   - hasAxis: whether it has one.
  ///   - chosen: coordinates or, without coordinates, indices; if empty, all levels are chosen.
  /// - Throws: `DatasetError` if a chosen level does not exist.
  init(
    _ name: String, axis: FieldAxis?, isSinglePrecision: Bool = false, count: Int, hasAxis: Bool, _ chosen: [Double],
    _ path: String
  ) throws(DatasetError) {
    guard hasAxis, count > 1 || !chosen.isEmpty else {
      (indices, names) = ([0], [name])
      return
    }
    let levels = axis?.values ?? (0..<count).map(Double.init)
    let texts = levels.map { Self.text($0, isSinglePrecision: isSinglePrecision) }
    var indices: [Int] = []
    for level in chosen {
      let number = isSinglePrecision ? Double(Float(level)) : level
      guard let index = levels.firstIndex(of: number) else {
        let list = texts.prefix(50).joined(separator: ", ")
        throw DatasetError(
          .unknownName, path, "\(name) has no level \(Self.text(level)), but \(list)", advice: "correct --levels")
      }
      guard !indices.contains(index) else {
        throw DatasetError(
          .unknownName, path, "the level \(Self.text(level)) is given twice", advice: "correct --levels")
      }
      indices.append(index)
    }
    if chosen.isEmpty { indices = Array(0..<count) }
    self.indices = indices
    names = indices.map { "\(name)_\(texts[$0])" }
  }

  /// `500`, `0.995`.
  private static func text(_ level: Double, isSinglePrecision: Bool = false) -> String {
    if let whole = Int(exactly: level) { return String(whole) }
    return isSinglePrecision ? "\(Float(level))" : "\(level)"
  }
}
