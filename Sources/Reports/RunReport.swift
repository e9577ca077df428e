import Configuration

/// A run as a self-contained HTML page: curves, samples, configuration and history.
package struct RunReport {
  /// The page.
  package let html: String
  package let curveCount: Int
  package let sheetCount: Int
  /// What is missing on the page, one sentence each.
  package let omissions: [String]

  /// - Throws: if the folder contains no run, or its configuration or log cannot be read.
  package init(_ folder: RunFolder) throws {
    let run = try RunRecord(folder)
    let curves = Curve.all(of: run.metrics, noun: run.noun)
    html = ReportPage(run: run, curves: curves).html.description
    curveCount = curves.count
    sheetCount = run.sheets.count
    omissions = run.omissions
  }
}
