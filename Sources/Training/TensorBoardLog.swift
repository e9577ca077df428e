import Files
import FoundationEssentials
import Glibc
import Images
import Logging
import Reporting
import TensorBoard

/// The run's data for TensorBoard: the numbers of metrics.jsonl, the sample grids and the configuration.
///
/// Each start of the program creates a new file, which states the step from which it supersedes earlier files, so that
/// a resumed run has each step once. If something cannot be written, because the disk is full for instance, a warning
/// is logged and the data are kept for the next attempt.
final class TensorBoardLog {
  private var file: AppendedFile
  private let log: Logger
  /// The maximum number of bytes that wait for disk space.
  private static let pendingLimit = 64 << 20

  /// Creates a file.
  ///
  /// - Parameters:
  ///   - folder: the folder for the file, which is created if missing.
  ///   - step: the step after which the run continues (0 for a new one); later steps in earlier files are superseded.
  ///   - configuration: YAML.
  init(folder: String, after step: Int, configuration: String, log: Logger) throws(FileError) {
    try makeFolder(at: folder)
    self.log = log
    file = try AppendedFile(path: folder + "/" + Self.fileName(after: namesInFolder(folder)))
    append(.formatVersion, step: 0)
    append(.start, step: step + 1)
    append(.text(tag: "configuration", markdown: "```yaml\n\(configuration)```\n"), step: step + 1)
  }

  func note(_ record: MetricsRecord) {
    append(.scalars(record.scalars.map { ("training/\($0.name)", $0.value) }), step: record.step)
  }

  /// - Parameter numbers: measures of drawn images, with their names.
  func noteMeasures(_ numbers: [(name: String, value: Double)], step: Int) {
    append(.scalars(numbers.map { ("evaluation/\($0.name)", $0.value) }), step: step)
  }

  /// - Parameter path: the grid's PNG file.
  func noteSamples(_ image: Image, path: String, step: Int) {
    do throws(FileError) {
      let png = try readBytes(at: path)
      append(
        .image(tag: "samples", png: png, width: image.width, height: image.height, channels: image.channels),
        step: step)
    } catch {
      log.warning("\(error); TensorBoard will not show the samples of step \(step)")
    }
  }

  private func append(_ event: RunEvent, step: Int) {
    guard file.pendingCount < Self.pendingLimit else {
      log.warning("\(file.path) could not be written for a long time; the data of step \(step) are left out")
      return
    }
    log.warnIfUnwritten {
      try file.append(event.record(step: step, time: Date().timeIntervalSince1970))
    }
  }

  /// `events.out.tfevents.<second>.<host>.<process>`. TensorBoard reads files in the order of their names, so the
  /// second is later than that of every existing file, whatever this machine's clock says.
  private static func fileName(after names: [String]) -> String {
    let newest = names.compactMap { name in
      name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count).prefix { $0 != "." }) : nil
    }.max()
    let second = max(Int(Date().timeIntervalSince1970), newest.map { $0 + 1 } ?? 0)
    // The second has ten digits until the year 2286.
    return "\(prefix)\(second).\(ProcessInfo.processInfo.hostName).\(getpid())"
  }

  private static let prefix = "events.out.tfevents."
}
