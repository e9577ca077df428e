import Configuration
import Foundation
import Images

/// A run as one HTML page that loads nothing: curves, samples, configuration, and what happened.
public struct RunReport {
  /// The page.
  public let html: String
  public let curveCount: Int
  public let sheetCount: Int
  /// What the page lacks, a sentence each.
  public let omissions: [String]

  /// - Throws: if the folder holds no run, or its configuration or log cannot be read.
  public init(_ folder: RunFolder) throws {
    let run = try RunRecord(folder)
    let curves = Curve.all(of: run.metrics)
    let page = ReportPage(run: run, curves: curves)
    html = page.html.description
    curveCount = curves.count
    sheetCount = run.sheets.count
    omissions = run.omissions
  }
}
