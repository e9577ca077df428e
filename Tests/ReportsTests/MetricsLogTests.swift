import Foundation
import Reports
import TestSupport
import Testing

/// The log that a file of these bytes contains.
func metricsLog(_ bytes: [UInt8]) throws -> MetricsLog {
  let folder = try TemporaryFolder()
  return try withExtendedLifetime(folder) { try MetricsLog(readingFrom: folder.write(bytes, to: "metrics.jsonl")) }
}

private func log(_ text: String) throws -> MetricsLog { try metricsLog(Array(text.utf8)) }

private func points(_ log: MetricsLog, _ name: String) -> [Series.Point] {
  log.series(named: name).map { Curve($0).points } ?? []
}

@Suite struct MetricsLogTests {
  @Test func everyNumberIsInTheSeriesOfItsName() throws {
    let log = try log("{\"step\": 1, \"loss\": 0.5}\n{\"step\": 2, \"loss\": 0.25, \"fid\": 12, \"note\": \"x\"}\n")
    #expect(points(log, "loss") == [.init(step: 1, value: 0.5), .init(step: 2, value: 0.25)])
    #expect(points(log, "fid") == [.init(step: 2, value: 12)])
    #expect(log.series.map(\.name) == ["fid", "loss"])
    #expect(log.lastStep == 2 && log.damagedLineCount == 0 && !log.isCutShort)
  }

  @Test func nullIsAPointWithoutValue() throws {
    #expect(try points(log("{\"step\": 1, \"loss\": null}\n"), "loss") == [.init(step: 1, value: nil)])
  }

  @Test func lastLineWithoutNewlineIsTruncatedUnlessComplete() throws {
    let cut = try log("{\"step\": 1, \"loss\": 1}\n{\"step\": 2, \"lo")
    #expect(cut.isCutShort && cut.damagedLineCount == 0 && cut.lastStep == 1)
    let whole = try log("{\"step\": 1, \"loss\": 1}\n{\"step\": 2, \"loss\": 1}")
    #expect(!whole.isCutShort && whole.lastStep == 2)
  }

  @Test(arguments: [
    "no JSON", "[1]", "{\"loss\": 1}", "{\"step\": 1.5, \"loss\": 1}", "{\"step\": \"1\"}", "\u{0}\u{0}",
    "{\"step\": null, \"loss\": 1}", "{\"step\": -2, \"loss\": 1}", "{\"step\": 2, \"loss\": nan}",
    "{\"step\": 2, \"loss\": Infinity}", "{\"step\": 2, \"loss\": 1}}", "{\"step\": 2 \"loss\": 1}",
    "{\"step\": 2, \"loss\"}", "{\"step\": 9007199254740994, \"loss\": 1}", "{\"step\": 1e300, \"loss\": 1}",
    "{\"step\": 1e999, \"loss\": 1}",
  ])
  func linesThatAreNotRecordsAreCounted(line: String) throws {
    let log = try log("{\"step\": 1, \"loss\": 1}\n\(line)\n{\"step\": 3, \"loss\": 1}\n")
    #expect(log.damagedLineCount == 1 && !log.isCutShort)
    #expect(points(log, "loss").map(\.step) == [1, 3])
  }

  @Test func bytesThatAreNotTextAreCounted() throws {
    #expect(try metricsLog([0xFF, 0xFE, 0x0A]).damagedLineCount == 1)
    let line = Array("{\"step\": 2, \"a\": 1}\n".utf8)
    let index = line.firstIndex(of: UInt8(ascii: "a"))!
    for byte: UInt8 in [0x80, 0xC3, 0xFF, 0] {
      #expect(try metricsLog(line[..<index] + [byte] + line[(index + 1)...]).damagedLineCount == 1)
    }
  }

  @Test func repeatedStepSupersedesEarlierLinesFromThere() throws {
    let log = try log((([1, 2, 3, 2]).map { "{\"step\": \($0), \"loss\": \($0)}\n" }).joined())
    #expect(points(log, "loss") == [.init(step: 1, value: 1), .init(step: 2, value: 2)])
    let swapped = try written([(1, 10), (2, 20), (3, 30), (2, 21), (4, 41)])
    #expect(points(swapped, "loss").map(\.value) == [10, 21, 41])
  }

  @Test func decreasingSecondsAreARestart() throws {
    let log = try log([(1, 5.0), (2, 9), (3, 4), (4, 6)].map { "{\"step\": \($0), \"seconds\": \($1)}\n" }.joined())
    #expect(log.restartSteps == [2])
    #expect(log.seconds == 15)
  }

  private func written(_ values: [(step: Int, loss: Double)]) throws -> MetricsLog {
    try log(values.map { "{\"step\": \($0.step), \"loss\": \($0.loss)}\n" }.joined())
  }

  /// Spaces, escapes and nested values are valid JSON too; values that are not numbers have no curve.
  @Test func anyValidJSONIsRead() throws {
    let line = " {\t\"loss\" :1.5e0 , \"l\\u006fng\": 2, \"ä\": 3, \"list\": [1, {\"step\": 9}], \"step\":\r7.0e0 } \n"
    let log = try log(line)
    #expect(log.damagedLineCount == 0 && log.series.map(\.name) == ["long", "loss", "ä"])
    #expect(points(log, "loss") == [.init(step: 7, value: 1.5)] && points(log, "ä") == [.init(step: 7, value: 3)])
  }

  @Test func numbersRoundTripExactly() throws {
    let values = [
      0.1, 1e308, -1e308, .leastNonzeroMagnitude, 1.7976931348623157e308, -0.0, 123456789.01234567,
      2.2250738585072014e-308,
    ]
    let log = try written(values.enumerated().map { ($0, $1) })
    #expect(points(log, "loss").map { $0.value?.bitPattern } == values.map(\.bitPattern))
  }

  /// A file is read in pieces; lines may be split anywhere, and have any length.
  @Test func linesMaySpanPieces() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("metrics.jsonl")
    let padding = { (count: Int) in String(repeating: " ", count: count) }
    var text = ""
    for step in 1...3000 { text += "{\"step\": \(step), \"loss\": \(step)\(padding(step * 7 % 500))}\n" }
    text += "{\"step\": 4000, \"loss\": 0\(padding(900_000))}\n{\"step\": 5000, \"loss\": 0\(padding(2_000_000))}\n"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    let log = try MetricsLog(readingFrom: path)
    // The last line is longer than the limit.
    #expect(log.damagedLineCount == 1 && log.lastStep == 4000 && log.series(named: "loss")?.count == 3001)
  }

  @Test func namesBeyondTheLimitAreLeftOut() throws {
    let names = (0..<MetricsLog.nameLimit + 5).map { "\"n\($0)\": 1" }.joined(separator: ", ")
    let log = try log("{\"step\": 1, \(names)}\n")
    #expect(log.hasTooManyNames && log.series.count == MetricsLog.nameLimit && log.damagedLineCount == 0)
  }

  @Test func emptyLogHasNothing() throws {
    #expect(try log("") == MetricsLog())
    #expect(try log("").lastStep == 0)
  }
}
