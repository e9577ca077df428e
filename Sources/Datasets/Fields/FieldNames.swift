/// The names that variables and dimensions can have in the files of drawn fields. Both are objects of one group, and have
/// the form that netCDF requires (NetCDF User's Guide, "Permitted Characters in NetCDF Names").
package enum FieldNames {
  /// The dimensions of such a file, apart from rows and columns.
  package static let dimensions = ["sample", "condition", "member"]

  /// The form of a name, for messages.
  static let form =
    "a name begins with a letter, a digit or _, contains neither / nor control characters, and does not end with a space"

  /// What is wrong with the names of a file's variables and dimensions, and what to do; nil if nothing is.
  package static func problem(with names: [String]) -> String? {
    var seen: Set<String> = []
    for name in names {
      guard isValid(name) else { return "'\(name)' cannot be the name of a variable or dimension; \(form)" }
      guard seen.insert(name).inserted else {
        return "'\(name)' is the name of two variables or dimensions; give the variables names of their own"
      }
    }
    return nil
  }

  static func isValid(_ name: String) -> Bool {
    guard let first = name.unicodeScalars.first, name.unicodeScalars.last != " " else { return false }
    let begins = !first.isASCII || first == "_" || Character(first).isLetter || Character(first).isNumber
    return begins && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f && $0 != "/" }
  }

  /// - Parameters:
  ///   - channels: the names of a data set's channels.
  ///   - axes: those of its rows and columns.
  ///   - path: the file, for messages.
  /// - Throws: `DatasetError` if a model could not write the fields that it draws under these names.
  static func check(_ channels: [String], axes: [String], _ path: String) throws(DatasetError) {
    let advice = "give others with --names"
    if let name = channels.first(where: { !isValid($0) }) {
      throw DatasetError(
        .wrongLayout, path, "'\(name)' cannot be the name of a channel: \(form)", advice: advice)
    }
    if let name = repeated(channels) {
      throw DatasetError(.wrongLayout, path, "two channels would have the name \(name)", advice: advice)
    }
    if let name = channels.first(where: { (dimensions + axes).contains($0) }) {
      throw DatasetError(
        .wrongLayout, path,
        "the channel \(name) has the name of a dimension of drawn fields (\((dimensions + axes).joined(separator: ", ")))",
        advice: advice)
    }
  }
}

extension FieldCoordinates {
  /// The names of rows and columns in the files of drawn fields.
  var names: [String] { [y?.name ?? "y", x?.name ?? "x"] }

  /// The same coordinates, with other names where a file cannot have theirs.
  func withUsableNames() -> FieldCoordinates {
    func isUsable(_ name: String, beside other: String?) -> Bool {
      FieldNames.isValid(name) && name != other && !FieldNames.dimensions.contains(name)
    }
    var result = self
    // Columns without coordinates have the name x.
    if let y, !isUsable(y.name, beside: x == nil ? "x" : nil) { result.y?.name = "y" }
    let rows = result.names[0]
    if let x, !isUsable(x.name, beside: rows) {
      let name = ["\(x.name)_2", "x"].first { isUsable($0, beside: rows) }
      result.x?.name = name ?? "x_2"
    }
    return result
  }
}
