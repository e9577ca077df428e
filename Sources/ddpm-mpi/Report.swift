import ArgumentParser
import Configuration
import Files
import MessagePassing
import Ranks
import Reporting
import Reports

struct Report: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a report of a run: curves, samples, configuration.",
    discussion: """
      The report is a single HTML file for any browser; it loads nothing else. The run may still be going: run the \
      command again to include newer data.
      """)

  @Argument(help: ArgumentHelp("The run folder.", valueName: "folder"))
  var folder: String

  @Option(help: ArgumentHelp("The page to write (default: report.html in the run folder).", valueName: "file.html"))
  var output: String?

  var files: CommandFiles {
    CommandFiles(
      inputs: RunFolder.files(at: folder, option: "the run's"),
      outputs: NamedFile.list(("--output", output)))
  }

  mutating func run(on communicator: Communicator) throws {
    try requireOneProcess("report", communicator)
    let run = RunFolder(folder)
    let report = try RunReport(run)
    let path = output ?? run.reportPath
    _ = try OutputFile(path)
    try replaceFile(at: path, with: report.html.utf8)
    for omission in report.omissions { StandardOutput.print(omission) }
    StandardOutput.print(
      "Wrote \(path) (\(ProgressFormat.bytes(report.html.utf8.count))): "
        + "\(ProgressFormat.count(report.curveCount, of: "curve")), "
        + "\(ProgressFormat.count(report.sheetCount, of: "sheet")) of samples.")
  }
}
