import Files
import FoundationEssentials
import Glibc

/// Appends to metrics.jsonl, one JSON object per line. Each line is in the file when `append` returns or, if the file
/// system rejects it, after a later `append`.
package struct MetricsWriter: ~Copyable {
  private var file: AppendedFile

  /// Opens the file at `path`, creating it if missing.
  ///
  /// - Parameter step: the step from which the run continues (0 for a new one). Lines of later steps and an incomplete
  ///   last line are removed, so that the file has each step once.
  package init(path: String, resumingFrom step: Int) throws(FileError) {
    if access(path, F_OK) == 0 { try Self.dropLines(after: step, path: path) }
    file = try AppendedFile(path: path)
  }

  /// - Throws: if the file system accepts no data, for instance because it is full; the line is kept for the next call.
  package mutating func append(_ record: MetricsRecord) throws(FileError) {
    try file.append((record.json + "\n").utf8)
  }

  /// Adds a line with other numbers of a step.
  /// - Parameter numbers: finite numbers, with their names.
  /// - Throws: as for records.
  package mutating func append(step: Int, _ numbers: [(name: String, value: Double)]) throws(FileError) {
    let fields = ["\"step\": \(step)"] + numbers.map { "\"\($0.name)\": \($0.value)" }
    try file.append(("{" + fields.joined(separator: ", ") + "}\n").utf8)
  }

  private static func dropLines(after step: Int, path: String) throws(FileError) {
    struct Line: Decodable {
      let step: Int
    }
    let newline = UInt8(ascii: "\n")
    let bytes = try readBytes(at: path)
    let decoder = JSONDecoder()
    var kept: [UInt8] = []
    // The text after the last newline is an incomplete line.
    for line in bytes.split(separator: newline, omittingEmptySubsequences: false).dropLast() {
      guard let record = try? decoder.decode(Line.self, from: Data(line)), record.step <= step else { continue }
      kept += line
      kept.append(newline)
    }
    if kept != bytes { try replaceFile(at: path, with: kept) }
  }
}
