import Files
import Reporting

/// A line of evaluations.jsonl, as far as the page shows it: measures of fields. Those of images have curves in the log.
struct EvaluationRecord: Decodable {
  var step: Int
  /// nil for images.
  var variables: [Variable]?
  var crossSpectra: [CrossSpectra]?

  struct Variable: Decodable {
    var name: String
    var units: String
    var spectrum: Spectrum?
    var histogram: Histograms?
    var crps: CRPS?
    var spreadSkill: SpreadSkill?
    var rankHistogram: RankHistogram?
  }

  /// Arrays begin with the wavenumber 0.
  struct Spectrum: Decodable {
    var drawn: [Double]
    var reference: [Double]
    var relativeErrors: [Double?]
    var error: Double?
  }

  struct Histograms: Decodable {
    var edges: [Double]
    var drawn: [Int]
    var reference: [Int]
    var distance: Double
  }

  struct CRPS: Decodable {
    var standard: Double
    var fair: Double?
  }

  struct SpreadSkill: Decodable {
    var ratio: Double?
  }

  struct RankHistogram: Decodable {
    var counts: [Int]
  }

  /// Arrays begin with the wavenumber 0.
  struct CrossSpectra: Decodable {
    var first: String
    var second: String
    var drawn: [Double?]
    var reference: [Double?]
    var error: Double?
  }

  /// A larger file is not read.
  static let byteLimit = 256 << 20

  /// The newest measures of fields in a file, and the number of lines that are not records.
  static func newest(in path: String) throws(FileError) -> (record: EvaluationRecord?, damagedLineCount: Int) {
    let lines = try readBytes(at: path, limit: byteLimit).split(separator: UInt8(ascii: "\n"))
    let records: [EvaluationRecord] = lines.compactMap { value(ofJSONLine: $0) }
    return (records.last { $0.variables?.isEmpty == false }, lines.count - records.count)
  }
}
