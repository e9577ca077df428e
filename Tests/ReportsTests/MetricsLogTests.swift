import Reports
import Testing

private func log(_ text: String) -> MetricsLog { MetricsLog(Array(text.utf8)) }

@Suite struct MetricsLogTests {
  @Test func everyNumberIsASeriesByItsName() {
    let log = log("{\"step\": 1, \"loss\": 0.5}\n{\"step\": 2, \"loss\": 0.25, \"fid\": 12, \"note\": \"x\"}\n")
    #expect(log.series(named: "loss")?.points == [.init(step: 1, value: 0.5), .init(step: 2, value: 0.25)])
    #expect(log.series(named: "fid")?.points == [.init(step: 2, value: 12)])
    #expect(log.series.map(\.name) == ["loss", "fid"])
    #expect(log.lastStep == 2 && log.damagedLineCount == 0 && !log.isCutShort)
  }

  @Test func nullIsAPointWithoutValue() {
    #expect(log("{\"step\": 1, \"loss\": null}\n").series(named: "loss")?.points == [.init(step: 1, value: nil)])
  }

  @Test func lastLineWithoutEndIsCutShortUnlessItIsWhole() {
    let cut = log("{\"step\": 1, \"loss\": 1}\n{\"step\": 2, \"lo")
    #expect(cut.isCutShort && cut.damagedLineCount == 0 && cut.lastStep == 1)
    let whole = log("{\"step\": 1, \"loss\": 1}\n{\"step\": 2, \"loss\": 1}")
    #expect(!whole.isCutShort && whole.lastStep == 2)
  }

  @Test(arguments: [
    "no JSON", "[1]", "{\"loss\": 1}", "{\"step\": 1.5, \"loss\": 1}", "{\"step\": \"1\"}", "\u{0}\u{0}",
  ])
  func lineThatIsNoRecordIsCounted(line: String) {
    let log = log("{\"step\": 1, \"loss\": 1}\n\(line)\n{\"step\": 3, \"loss\": 1}\n")
    #expect(log.damagedLineCount == 1 && !log.isCutShort)
    #expect(log.series(named: "loss")?.points.map(\.step) == [1, 3])
  }

  @Test func bytesThatAreNoTextAreCounted() {
    #expect(MetricsLog([0xFF, 0xFE, 0x0A]).damagedLineCount == 1)
  }

  @Test func laterLineOfAStepSupersedesThoseFromItOn() {
    let log = log((([1, 2, 3, 2]).map { "{\"step\": \($0), \"loss\": \($0)}\n" }).joined())
    #expect(log.series(named: "loss")?.points.map(\.step) == [1, 2])
  }

  @Test func secondsThatBeginAnewAreARestart() {
    let log = log([(1, 5.0), (2, 9), (3, 4), (4, 6)].map { "{\"step\": \($0), \"seconds\": \($1)}\n" }.joined())
    #expect(log.restartSteps == [2])
    #expect(log.seconds == 15)
  }

  @Test func emptyLogHasNothing() {
    #expect(log("") == MetricsLog())
    #expect(log("").lastStep == 0)
  }
}
