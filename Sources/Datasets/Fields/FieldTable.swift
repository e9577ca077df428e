import Files
import TextFormatting

/// The statistics of fields' channels, for users.
package enum FieldTable {
  /// The maximum number of characters of a name or unit, which files of other programs can give any length.
  private static let textLimit = 40

  /// A line for the head, and one for each variable. Long texts are cut, and their line ends are escaped.
  /// - Parameter uses: what a model does with each variable; empty for no such column.
  package static func lines(_ variables: [FieldVariable], uses: [String] = []) -> [String] {
    precondition(uses.isEmpty || uses.count == variables.count, "a use for each variable")
    let textColumns = uses.isEmpty ? 2 : 3
    let head = Array(["name", "units", "use"].prefix(textColumns)) + ["mean", "sd", "min", "max"]
    let rows = variables.indices.map { (index: Int) -> [String] in
      let variable = variables[index]
      let texts = [variable.name, variable.units] + uses[uses.isEmpty ? 0..<0 : index..<index + 1]
      let numbers = [variable.mean, variable.standardDeviation, variable.minimum, variable.maximum]
      return texts.map(shortened) + numbers.map { String(printf: "%.6g", $0) }
    }
    let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
    return ([head] + rows).map { row in
      let cells = row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        // Texts to the left, numbers to the right.
        return column < textColumns ? row[column] + space : space + row[column]
      }
      return cells.joined(separator: "  ")
    }
  }

  private static func shortened(_ text: String) -> String {
    let line = text.printableOnOneLine
    return line.count > textLimit ? String(line.prefix(textLimit - 1)) + "…" : line
  }
}
