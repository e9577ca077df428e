import Files
import Foundation
import Images
import Logging
import Reporting
import TensorBoard

/// The run as TensorBoard shows it: the numbers of metrics.jsonl, the sample grids, the configuration.
///
/// Each start of the program begins a file of its own, and says from which step on it supersedes those before, so that
/// a resumed run has each step once. That something cannot be written, on a full disk for instance, is a warning and no
/// reason to give up what was computed; it is kept for the next time.
final class TensorBoardLog {
  private var file: AppendedFile
  private let log: Logger
  /// What may wait for a full disk to have room again.
  private static let pendingLimit = 64 << 20

  /// Begins a file.
  ///
  /// - Parameters:
  ///   - folder: where it goes; made where it is missing.
  ///   - step: after which the run goes on (0 for a new one); what earlier files say of later ones is superseded.
  ///   - configuration: YAML.
  init(folder: String, after step: Int, configuration: String, log: Logger) throws(FileError) {
    try makeFolder(at: folder)
    self.log = log
    file = try AppendedFile(path: folder + "/" + Self.fileName(after: Self.fileNames(in: folder)))
    append(.formatVersion, step: 0)
    append(.start, step: step + 1)
    append(.text(tag: "configuration", markdown: "```yaml\n\(configuration)```\n"), step: step + 1)
  }

  func note(_ record: MetricsRecord) {
    append(.scalars(record.scalars.map { ("training/\($0.name)", $0.value) }), step: record.step)
  }

  /// - Parameter numbers: measures of drawn images, by their names.
  func noteMeasures(_ numbers: [(name: String, value: Double)], step: Int) {
    append(.scalars(numbers.map { ("evaluation/\($0.name)", $0.value) }), step: step)
  }

  /// - Parameter path: the grid's PNG file.
  func noteSamples(_ image: Image, path: String, step: Int) {
    do throws(FileError) {
      let png = try readBytes(at: path)
      append(
        .image(
          tag: "samples", .init(png: png, width: image.width, height: image.height, channels: image.channels)),
        step: step)
    } catch {
      log.warning("\(error); TensorBoard will not show the samples of step \(step)")
    }
  }

  private func append(_ content: RunEvent.Content, step: Int) {
    guard file.pendingCount < Self.pendingLimit else {
      log.warning("\(file.path) has taken nothing for long; what it should hold of step \(step) is left out")
      return
    }
    do throws(FileError) {
      try file.append(RunEvent(content, step: step, time: Date().timeIntervalSince1970).record)
    } catch {
      log.warning("\(error); training goes on, and will try again")
    }
  }

  /// `events.out.tfevents.<second>.<host>.<process>`. TensorBoard reads files in the order of their names, so the second
  /// is later than that of every file there is, whatever this machine's clock says.
  private static func fileName(after names: [String]) -> String {
    let newest = names.compactMap { name in
      name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count).prefix { $0 != "." }) : nil
    }.max()
    let second = max(Int(Date().timeIntervalSince1970), newest.map { $0 + 1 } ?? 0)
    // Ten digits until the year 2286.
    return "\(prefix)\(second).\(ProcessInfo.processInfo.hostName).\(getpid())"
  }

  private static let prefix = "events.out.tfevents."

  private static func fileNames(in folder: String) throws(FileError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw FileError("cannot list \(folder): \(error.localizedDescription)")
    }
  }
}
