import Configuration
import Files
import Foundation
import Images
import Reporting
import Reports
import TestSupport
import Testing

/// Calls `body` with a run's folder that has a configuration, and removes it afterwards.
private func withRun(_ name: String = "a run", _ body: (RunFolder) throws -> Void) throws {
  try withTemporaryFolder { parent in
    let folder = RunFolder("\(parent)/\(name)")
    try makeFolder(at: folder.samplesPath)
    try makeFolder(at: folder.checkpointsPath)
    try folder.save(Presets.named("shapes").configuration)
    try body(folder)
  }
}

private func write(_ text: String, to path: String) throws {
  try text.write(toFile: path, atomically: true, encoding: .utf8)
}

private func line(step: Int) -> String {
  let record = MetricsRecord(
    step: step, images: 4 * step, loss: 1 / Double(step), gradientNorm: 1, learningRate: 1e-3, imagesPerSecond: 50,
    seconds: Double(step))
  return record.json + "\n"
}

private let job = JournalEntry.Job(
  version: "1", ranks: 2, threadsPerRank: 1, hosts: 1, steps: 200, parameters: 1234, data: "shapes", images: 10)

@Suite struct RunReportTests {
  @Test func emptyRunHasAPageThatSaysSo() throws {
    try withRun { folder in
      let report = try RunReport(folder)
      #expect(report.curveCount == 0 && report.sheetCount == 0)
      #expect(
        report.html.contains("No step has been logged yet.") && report.html.contains("No samples have been drawn"))
      #expect(report.omissions.contains { $0.contains("metrics.jsonl") })
      #expect(report.omissions.contains { $0.contains("journal.jsonl") })
    }
  }

  @Test func pageHasCurvesSheetsAndStarts() throws {
    try withRun { folder in
      try write((1...5).map(line).joined(), to: folder.metricsPath)
      let entries = [
        JournalEntry(.start, step: 0, job: job), JournalEntry(.checkpoint, step: 2, seconds: 0.5),
        JournalEntry(.resume, step: 2, job: job), JournalEntry(.stop, step: 5, reason: "since <b>"),
      ]
      try write(entries.map { $0.json + "\n" }.joined(), to: folder.journalPath)
      for step in [2, 4] {
        try PNG.write(Image(width: 2, height: 1, channels: 1, pixels: [0, 255]), to: folder.samplePath(step: step))
      }
      let report = try RunReport(folder)
      #expect(report.curveCount == 4 && report.sheetCount == 2 && report.omissions.isEmpty)
      #expect(report.html.contains("resumed after step 2") && report.html.contains("killed: no end is recorded"))
      #expect(report.html.contains("stopped after step 5, since &lt;b&gt;") && !report.html.contains("since <b>"))
      #expect(report.html.contains(Data(try readBytes(at: folder.samplePath(step: 4))).base64EncodedString()))
    }
  }

  @Test func largeSheetsAreLeftOut() throws {
    try withRun { folder in
      var random = TestRandom(state: 1)
      // Such pixels compress badly.
      let image = Image(width: 1800, height: 1700, channels: 3, pixels: random.bytes(1800 * 1700 * 3))
      try PNG.write(image, to: folder.samplePath(step: 1))
      for step in 2...5 {
        try FileManager.default.copyItem(atPath: folder.samplePath(step: 1), toPath: folder.samplePath(step: step))
      }
      let report = try RunReport(folder)
      #expect(report.sheetCount == 2)
      #expect(report.omissions.contains("To keep the page small, it has 2 of 5 sheets of samples."))
    }
  }

  @Test func sheetsThatCannotBeReadAreListed() throws {
    try withRun { folder in
      try write("no picture", to: folder.samplePath(step: 1))
      try write("", to: folder.samplePath(step: 2))
      let report = try RunReport(folder)
      #expect(report.sheetCount == 0)
      for step in [1, 2] {
        #expect(report.omissions.contains { $0.contains(folder.samplePath(step: step)) }, "step \(step)")
      }
    }
  }

  @Test func runsOnFieldsCountFields() throws {
    try withRun { folder in
      try write(line(step: 1), to: folder.metricsPath)
      let images = [JournalEntry(.start, step: 0, job: job).json + "\n"]
      try write(images.joined(), to: folder.journalPath)
      let pageOfImages = try RunReport(folder).html
      #expect(pageOfImages.contains("Images seen") && pageOfImages.contains("10 images"))
      #expect(pageOfImages.contains("images/s"))

      var fields = job
      fields.holdsFields = true
      try write(JournalEntry(.start, step: 0, job: fields).json + "\n", to: folder.journalPath)
      let page = try RunReport(folder).html
      #expect(page.contains("Fields seen") && page.contains("10 fields") && page.contains("fields/s"))
      #expect(!page.contains("Images seen") && !page.contains("images/s"))
    }
  }

  @Test func damageIsReportedAndLeftOut() throws {
    try withRun { folder in
      try write("\(line(step: 1))rubbish\n\(line(step: 2)){\"step\": 3, \"lo", to: folder.metricsPath)
      try write("\(JournalEntry(.start, step: 0).json)\n{\"event\": \"jump\"}\n", to: folder.journalPath)
      try write("no PNG", to: folder.samplePath(step: 2))
      let report = try RunReport(folder)
      #expect(report.curveCount == 4 && report.sheetCount == 0)
      for part in ["is incomplete", "1 line of metrics.jsonl", "1 line of journal.jsonl", "step-00000002.png: "] {
        #expect(report.omissions.contains { $0.contains(part) }, "\(part)")
        #expect(report.html.contains(part))
      }
    }
  }

  /// Whatever numbers the logs contain, there is a page, and its script's data are valid JSON.
  @Test(arguments: [
    ["1e308", "-1e308"], ["1e308", "1e-308"], ["1.7976931348623157e308"], ["5e-324", "1e-323"], ["-0.0"],
    ["-5e-324", "0"],
    ["9223372036854775808", "-9223372036854775808"], ["null"], ["1e999"], ["1", "null", "1e308", "-1e308", "1e308"],
  ])
  func extremeNumbersHaveAPage(values: [String]) throws {
    try withRun { folder in
      let many = (0..<30).flatMap { _ in values }
      let lines = many.enumerated().map { index, value in
        "{\"step\": \(index + 1), \"loss\": \(value), \"images\": \(value), \"seconds\": \(value)}\n"
      }
      let last = "{\"step\": 9007199254740992, \"loss\": 1}\n"
      try write(lines.joined() + last, to: folder.metricsPath)
      let journal = [Int.min, -1, 0, Int.max].flatMap { step in
        [JournalEntry(.resume, step: step, job: job), JournalEntry(.stop, step: step, reason: "")]
      }
      try write(journal.map { $0.json + "\n" }.joined(), to: folder.journalPath)
      let report = try RunReport(folder)
      #expect(report.curveCount == 1)
      let parts = report.html.components(separatedBy: "<script type=\"application/json\">").dropFirst()
      for part in parts {
        let data = Data((part.components(separatedBy: "</script>").first ?? "").utf8)
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: data) }
      }
      #expect(!report.html.contains("nan") && !report.html.contains(">inf"))
    }
  }

  @Test(arguments: [
    "{\"event\": \"start\", \"step\": 1e300, \"time\": \"2026-01-01T00:00:00Z\"}",
    "{\"event\": \"start\", \"step\": 1}",
    "{\"event\": \"start\", \"step\": 1, \"time\": \"99999999999-01-01T00:00:00Z\"}", "[]", "{\"event\": 1}", "\u{0}",
    "{\"event\": \"start\", \"step\": 99999999999999999999, \"time\": \"2026-01-01T00:00:00Z\"}", "{", "nul",
    "{\"event\": \"checkpoint\", \"step\": 1, \"time\": \"2026-01-01T00:00:00Z\", \"seconds\": 1e999}",
  ])
  func journalLinesThatAreNotEntriesAreCounted(line: String) throws {
    try withRun { folder in
      try write("\(JournalEntry(.start, step: 0).json)\n\(line)\n", to: folder.journalPath)
      let report = try RunReport(folder)
      #expect(report.omissions.contains { $0.contains("1 line of journal.jsonl") })
    }
  }

  @Test func journalMayContainBytesThatAreNotText() throws {
    try withRun { folder in
      let start = Array(JournalEntry(.start, step: 0, job: job).json.utf8)
      for place in stride(from: 1, to: start.count, by: 5) {
        for byte: UInt8 in [0, 0x80, 0xC3, 0xFF] {
          var line = start
          line[place] = byte
          try Data(line + [UInt8(ascii: "\n")]).write(to: URL(fileURLWithPath: folder.journalPath))
          _ = try RunReport(folder)
        }
      }
    }
  }

  @Test func textOfTheRunIsEscaped() throws {
    try withRun("<script>alert('1')<") { folder in
      var configuration = try Presets.named("shapes").configuration
      configuration.data.path = "</pre><script>\"&"
      try folder.save(configuration)
      try write("{\"step\": 1, \"</script><i>\": 2}\n", to: folder.metricsPath)
      let html = try RunReport(folder).html
      #expect(!html.contains("<script>") && !html.contains("</script><i>") && !html.contains("</pre><script"))
      #expect(html.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;"))
    }
  }

  @Test func restartIsMarkedWithoutAJournal() throws {
    try withRun { folder in
      let record = MetricsRecord(
        step: 3, images: 1, loss: 1, gradientNorm: 1, learningRate: 1, imagesPerSecond: 1, seconds: 0.5)
      try write(line(step: 1) + line(step: 2) + record.json + "\n", to: folder.metricsPath)
      #expect(try RunReport(folder).html.contains("<title>resumed after step 2</title>"))
    }
  }

  @Test func keysThatDifferFromThePresetAreMarked() throws {
    try withRun { folder in
      var configuration = try Presets.named("shapes").configuration
      configuration.training.steps = 201
      try folder.save(configuration)
      let html = try RunReport(folder).html
      #expect(html.contains("<mark>  steps: 201</mark>"))
      #expect(html.contains("<code>training.steps</code></td><td><code>201</code></td><td><code>200</code>"))
    }
  }

  /// A line of evaluations.jsonl on fields of two variables.
  private static let fieldLine = """
    {"step":4,"variables":[{"name":"u<","units":"m s-1","spectrum":{"drawn":[0,4,2,1],"reference":[0,4,1,1],\
    "relative_errors":[null,0,1,0],"error":0.577},"histogram":{"edges":[-1,0,1],"drawn":[3,1],"reference":[2,2],\
    "distance":0.25},"crps":{"standard":0.5,"fair":0.4},"spread_skill":{"ratio":0.8},"rank_histogram":{"counts":[3,1]}},\
    {"name":"v","units":""}],"cross_spectra":[{"first":"u<","second":"v","drawn":[null,0.5,0.25,0],\
    "reference":[null,0.5,0.5,0],"error":0.1}]}
    """

  @Test func drawnFieldsHaveChartsOfTheNewestEvaluation() throws {
    try withRun { folder in
      let older = Self.fieldLine.replacingOccurrences(of: "\"step\":4", with: "\"step\":2")
      try write("\(older)\n\(Self.fieldLine)\n{\"step\":6,\"fid\":3}\nrubbish\n", to: folder.evaluationsPath)
      let report = try RunReport(folder)
      #expect(report.html.contains("Drawn fields after step 4"))
      for title in [
        "u&lt;: power spectrum", "u&lt;: relative error of the power", "u&lt;: distribution of values",
        "u&lt;: rank of the truth among the members", "u&lt; and v: correlation",
      ] { #expect(report.html.contains("<h3>\(title)</h3>"), "\(title)") }
      #expect(report.html.contains("<td>57.7%</td><td>0.25</td><td>0.4</td><td>0.8</td>"))
      #expect(report.html.components(separatedBy: "<figure class=\"chart\"").count == 6)
      #expect(report.omissions.contains { $0.contains("1 line of evaluations.jsonl") })
    }
  }

  @Test func evaluationsOfImagesHaveNoCharts() throws {
    try withRun { folder in
      try write("{\"step\":6,\"fid\":3,\"count\":10}\n", to: folder.evaluationsPath)
      let report = try RunReport(folder)
      #expect(!report.html.contains("Drawn fields") && !report.omissions.contains { $0.contains("evaluations") })
    }
  }

  /// Whatever numbers an evaluation has, there is a page.
  @Test(arguments: [
    "1e308", "-1e308,0,1e308", "5e-324,1e308,1e-300", "0,0,0,0", "-0.0,0,-5e-324", "1,1e308,-1e308,5e-324", "", "1",
    "null,null,null", "1,2,3,4",
  ])
  func extremeEvaluationsHaveAPage(values: String) throws {
    try withRun { folder in
      let counts = "[9223372036854775807,9223372036854775807,0]"
      let line = """
        {"step":-1,"variables":[{"name":"","units":"","spectrum":{"drawn":[\(values)],"reference":[\(values)],\
        "relative_errors":[\(values)],"error":-1e300},"histogram":{"edges":[\(values)],"drawn":\(counts),\
        "reference":[],"distance":1e300},"crps":{"standard":-1e308},"spread_skill":{},\
        "rank_histogram":{"counts":\(counts)}}],"cross_spectra":[{"first":"","second":"","drawn":[],\
        "reference":[\(values)]}]}
        """
      try write(line + "\n", to: folder.evaluationsPath)
      #expect(!(try RunReport(folder).html.contains("nan")))
    }
  }

  @Test func manySheetsAreThinned() throws {
    try withRun { folder in
      for step in 1...100 {
        try PNG.write(Image(width: 1, height: 1, channels: 1, pixels: [0]), to: folder.samplePath(step: step))
      }
      let report = try RunReport(folder)
      #expect(report.sheetCount == 60)
      #expect(report.html.contains("after step 1\"") && report.html.contains("after step 100\""))
      #expect(report.omissions.contains { $0.contains("it has 60 of 100 sheets of samples") })
    }
  }

  @Test func folderWithoutARunIsRefused() throws {
    #expect { try RunReport(RunFolder("/nowhere")) } throws: { "\($0)".contains("/nowhere: there is no such folder") }
    #expect { try RunReport(RunFolder(NSTemporaryDirectory())) } throws: { "\($0)".contains("it has no config.yaml") }
    try withRun { folder in
      try write("training: {stepz: 1}", to: folder.configurationPath)
      #expect(throws: ConfigurationError.self) { try RunReport(folder) }
    }
  }
}
