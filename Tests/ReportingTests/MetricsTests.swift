import Files
import Foundation
import Reporting
import TestSupport
import Testing

private func record(step: Int, loss: Double = 0.5) -> MetricsRecord {
  MetricsRecord(
    step: step, images: step * 64, loss: loss, gradientNorm: 0.25, learningRate: 1e-3, imagesPerSecond: 812,
    seconds: 1.5)
}

@Suite struct MetricsTests {
  @Test func recordIsAJSONObjectWhoseNumbersAreExact() throws {
    let json = record(step: 10, loss: 0.1 + 0.2).json
    #expect(
      json == """
        {"step": 10, "images": 640, "loss": 0.30000000000000004, "gradient_norm": 0.25, "learning_rate": 0.001, \
        "images_per_second": 812.0, "seconds": 1.5}
        """)
    let parsed = try JSONDecoder().decode([String: Double].self, from: Data(json.utf8))
    #expect(parsed["loss"] == 0.1 + 0.2)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func nonFiniteNumbersAreNull(loss: Double) throws {
    let json = record(step: 1, loss: loss).json
    #expect(json.contains("\"loss\": null"))
    _ = try JSONSerialization.jsonObject(with: Data(json.utf8))
  }

  @Test func lineIsInTheFileWhenAppendReturns() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/metrics.jsonl"
      var writer = try MetricsWriter(path: path, resumingFrom: 0)
      try writer.append(record(step: 1))
      #expect(try text(at: path) == record(step: 1).json + "\n")
      try writer.append(record(step: 2))
      #expect(try text(at: path).split(separator: "\n").count == 2)
    }
  }

  @Test func resumedFileHasEachStepOnce() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/metrics.jsonl"
      let before = (1...5).map { record(step: $0).json + "\n" }
      try (before.joined() + "{\"step\": 6, \"ima").write(toFile: path, atomically: true, encoding: .utf8)
      var writer = try MetricsWriter(path: path, resumingFrom: 3)
      #expect(try text(at: path) == before[..<3].joined())
      try writer.append(record(step: 4, loss: 0.125))
      #expect(try text(at: path) == before[..<3].joined() + record(step: 4, loss: 0.125).json + "\n")
    }
  }

  @Test func newRunLeavesNoOldLines() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/metrics.jsonl"
      try (record(step: 1).json + "\n").write(toFile: path, atomically: true, encoding: .utf8)
      _ = try MetricsWriter(path: path, resumingFrom: 0)
      #expect(try text(at: path).isEmpty)
    }
  }

  @Test func unwritableFileNamesPathAndReason() {
    let error = #expect(throws: FileError.self) {
      _ = try MetricsWriter(path: "/nowhere/metrics.jsonl", resumingFrom: 0)
    }
    #expect(error?.description == "cannot open /nowhere/metrics.jsonl: No such file or directory")
  }
}
