import Reporting
import TextFormatting

extension Profile {
  /// For users: a table of at most 100 columns, preceded by the values that it is compared with.
  ///
  /// - Parameters: ranks, threads: the layout of the job.
  func text(ranks: Int, threads: Int) -> String {
    let (whose, together) =
      ranks == 1 ? ("", "") : (" on rank 0", ", while all ranks do the same")
    let images = ProgressFormat.count(scale.images, of: "image")
    return """
      Mean of \(ProgressFormat.count(scale.steps, of: "step")) of \(images)\(whose). \
      Peaks of \(ProgressFormat.count(threads, of: "thread"))\(together):
      \(number(scale.peakGflopPerSecond)) GFLOP/s in the first-level cache, \
      \(number(scale.copyGbPerSecond)) GB/s in a copy (read and written).

      \(table)

      An image takes \(number(scale.directGflopPerImage)) GFLOP if computed directly, \
      \(number(scale.gflopPerImage)) GFLOP as done.
      """
  }

  private var table: String {
    let headings = [
      ["", "", "", "", "GFLOP/s", "GFLOP/s", "of", "", "ideal", ""],
      ["operation", "ms", "share", "calls", "effective", "done", "peak", "GB/s", "ms", "gap"],
    ]
    return textTable(headings + (rows + [step]).map(Self.cells), firstHasNames: true)
  }

  private static func cells(_ row: Row) -> [String] {
    [
      row.operation, milliseconds(row.seconds), String(printf: "%.1f%%", row.share * 100),
      row.calls == 0 ? "" : "\(row.calls)", row.effectiveGflopPerSecond.map(number) ?? "",
      row.gflopPerSecond.map(number) ?? "", row.shareOfPeak.map { String(printf: "%.0f%%", $0 * 100) } ?? "",
      row.gbPerSecond.map(number) ?? "", row.idealSeconds.map(milliseconds) ?? "", row.gap.map(number) ?? "",
    ]
  }

  private static func milliseconds(_ seconds: Double) -> String {
    String(printf: seconds < 0.01 ? "%.2f" : "%.1f", seconds * 1000)
  }
}

/// At least three digits: `118`, `12.3`, `1.23`.
private func number(_ value: Double) -> String { ProgressFormat.rate(value) }
