/// Lines of cells as text, with two spaces between the columns. Columns are aligned to the right, but one of names to
/// the left.
func textTable(_ lines: [[String]], firstHasNames: Bool = false) -> String {
  let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
  return lines.map { line in
    let last = line.lastIndex { !$0.isEmpty } ?? 0
    return (0...last).map { column in
      let padding = String(repeating: " ", count: widths[column] - line[column].count)
      return column == 0 && firstHasNames ? line[column] + padding : padding + line[column]
    }.joined(separator: "  ")
  }.joined(separator: "\n")
}
