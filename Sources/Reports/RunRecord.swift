import Configuration
import Failures
import Files
import FoundationEssentials
import Images
import Reporting

/// The contents of a run's folder, as far as they can be read. The run may still be in progress.
struct RunRecord {
  /// A complete sheet of samples.
  struct Sheet {
    var step: Int
    var png: [UInt8]
    var width: Int
    var height: Int
  }

  let folder: RunFolder
  let configuration: RunConfiguration
  let metrics: MetricsLog
  let sessions: [Session]
  let sheets: [Sheet]
  /// The newest measures of drawn fields, if there are any.
  let evaluation: EvaluationSection?
  /// The steps of the existing checkpoints, in ascending order.
  let checkpointSteps: [Int]
  /// The time of the log's last modification.
  let lastSign: Date?
  /// What is missing on the page, one sentence each.
  let omissions: [String]

  /// If there are more sheets, or more bytes of them, some are left out.
  static let sheetLimit = 60
  static let sheetByteLimit = 24 << 20
  /// A larger journal is not read: a run of years has a few MiB.
  static let journalByteLimit = 256 << 20

  /// - Throws: `InputError` if the folder contains no run, `ConfigurationError` or `FileError` if its configuration or
  ///   an existing log cannot be read.
  init(_ folder: RunFolder) throws {
    guard isFolder(folder.path) else {
      throw InputError("\(folder.path): there is no such folder; give a run's folder, such as runs/quickstart")
    }
    guard fileExists(folder.configurationPath) else {
      throw InputError(
        "\(folder.path) contains no run: it has no config.yaml; give a folder created by ddpm-mpi train")
    }
    self.folder = folder
    configuration = try folder.savedConfiguration()
    var omissions: [String] = []

    let hasMetrics = fileExists(folder.metricsPath)
    metrics = hasMetrics ? try MetricsLog(readingFrom: folder.metricsPath) : MetricsLog()
    if !hasMetrics { omissions.append("There is no metrics.jsonl yet, so there are no curves.") }
    if metrics.hasTooManyNames {
      omissions.append(
        "The lines of metrics.jsonl have more than \(MetricsLog.nameLimit) names; only that many have curves.")
    }
    if metrics.isCutShort {
      omissions.append(
        "The last line of metrics.jsonl is incomplete and left out: it is being written, or its writer was killed.")
    }
    func note(damagedLines count: Int, of file: String) {
      guard count > 0 else { return }
      omissions.append(
        "\(ProgressFormat.count(count, of: "line")) of \(file) cannot be read, and "
          + "\(count == 1 ? "is" : "are") left out.")
    }
    note(damagedLines: metrics.damagedLineCount, of: "metrics.jsonl")
    lastSign = hasMetrics ? Date(timeIntervalSince1970: try RegularFile(folder.metricsPath).modificationTime) : nil

    if fileExists(folder.journalPath) {
      let journal = try readBytes(at: folder.journalPath, limit: Self.journalByteLimit)
      let lines = journal.split(separator: UInt8(ascii: "\n"))
      let entries = lines.compactMap { JournalEntry(line: $0) }
      sessions = Session.all(of: entries)
      note(damagedLines: lines.count - entries.count, of: "journal.jsonl")
    } else {
      sessions = []
      omissions.append("There is no journal.jsonl, so when and where the run was started is not known.")
    }

    if fileExists(folder.evaluationsPath) {
      let (newest, damagedLineCount) = try EvaluationRecord.newest(in: folder.evaluationsPath)
      evaluation = newest.flatMap { EvaluationSection($0) }
      omissions += evaluation?.omissions ?? []
      note(damagedLines: damagedLineCount, of: "evaluations.jsonl")
    } else {
      evaluation = nil
    }

    checkpointSteps = try folder.checkpoints().map(\.step).reversed()
    sheets = try Self.readSheets(folder, &omissions)
    self.omissions = omissions
  }

  /// The word for a sample of the data.
  var noun: String { sessions.last?.start.job?.holdsFields == true ? "field" : "image" }

  /// The steps after which the program was started again.
  var restartSteps: [Int] {
    let steps = sessions.isEmpty ? metrics.restartSteps : sessions.filter(\.isResumed).map(\.firstStep)
    return Set(steps).sorted()
  }

  /// The complete sheets; if there are too many, the first, the last and an even selection in between.
  private static func readSheets(_ folder: RunFolder, _ omissions: inout [String]) throws -> [Sheet] {
    let all = try folder.samples()
    // What cannot be read is reported below.
    let sizes = all.map { (try? RegularFile($0.path).size) ?? 0 }
    var kept = Array(all.indices)
    while kept.count > 2 && (kept.count > sheetLimit || kept.reduce(0) { $0 + sizes[$1] } > sheetByteLimit) {
      kept = evenly(all.count, atMost: min(sheetLimit, kept.count - 1))
    }
    if kept.count < all.count {
      omissions.append("To keep the page small, it has \(kept.count) of \(all.count) sheets of samples.")
    }
    var sheets: [Sheet] = []
    for sheet in kept.map({ all[$0] }) {
      do {
        let image = try ImageReader().read(sheet.path)
        let png = try readBytes(at: sheet.path, limit: sheetByteLimit)
        sheets.append(Sheet(step: sheet.step, png: png, width: image.width, height: image.height))
      } catch let error as any JobEndingError {
        omissions.append("\(error)")
      }
    }
    return sheets
  }

  /// `limit` of the numbers from 0 to `count` - 1, evenly spread, including the first and the last.
  static func evenly(_ count: Int, atMost limit: Int) -> [Int] {
    guard count > limit else { return Array(0..<count) }
    guard limit > 1 else { return [count - 1] }
    return (0..<limit).map { $0 * (count - 1) / (limit - 1) }
  }
}
