import Foundation
import Reports
import Testing

/// The series of a log with these values.
private func series(_ name: String, _ values: [Double?], every spacing: Int = 10) throws -> Series {
  let lines = values.enumerated().map { index, value -> String in
    let number = value.map { "\($0)" } ?? "null"
    return "{\"step\": \(spacing * (index + 1)), \"\(name)\": \(number)}\n"
  }
  return try #require(try metricsLog(Array(lines.joined().utf8)).series(named: name))
}

@Suite struct CurveTests {
  @Test func shortSeriesIsDrawnAsItIs() throws {
    let values = (0..<Series.stretchLimit).map(Double.init)
    #expect(try Curve(series("loss", values)).points.map(\.value) == values)
  }

  @Test func thinnedSeriesKeepsPeaksEndsAndGaps() throws {
    var values: [Double?] = (0..<100_000).map { sin(Double($0)) }
    values[31_415] = 100
    values[27_182] = -100
    values[60_000] = nil
    let curve = Curve(try series("loss", values))
    #expect(curve.pointCount == 100_000)
    #expect(curve.points.count > Series.stretchLimit / 2 && curve.points.count <= 2 * Series.stretchLimit + 3)
    #expect(curve.points.contains(.init(step: 314_160, value: 100)))
    #expect(curve.points.contains(.init(step: 271_830, value: -100)))
    #expect(curve.points.contains(.init(step: 600_010, value: nil)))
    #expect(curve.points.first?.step == 10 && curve.points.last?.step == 1_000_000)
    #expect(curve.points.map(\.step) == Set(curve.points.map(\.step)).sorted())
    #expect(curve.averages.count == curve.points.count)
  }

  /// Steps of any spacing and number: all of them are covered, with as many stretches as possible.
  @Test(arguments: [1, 3, 1 << 30]) func seriesOfAnySpacingIsThinnedAlike(spacing: Int) throws {
    let values = (0..<5000).map(Double.init)
    let thinned = try series("loss", values, every: spacing)
    #expect(thinned.count == 5000)
    #expect((Series.stretchLimit / 2...Series.stretchLimit).contains(thinned.stretches.count))
    #expect(thinned.stretches.map(\.valueCount).reduce(0, +) == 5000)
  }

  /// The average of a thinned series is close to that of all values: a stretch is a tenth of the averaging span.
  @Test func movingAverageOfAThinnedSeriesIsCloseToThatOfTheFullSeries() throws {
    let values = (0..<60_000).map { 1 + sin(Double($0) / 5000) }
    let curve = Curve(try series("loss", values))
    let share = 2 / Double(curve.averageSpan + 1)
    var (sum, weight) = (0.0, 0.0)
    let exact = values.map { value in
      sum += share * (value - sum)
      weight += share * (1 - weight)
      return sum / weight
    }
    for (point, average) in zip(curve.points, curve.averages) {
      // A stretch of 117 values, in which the average moves by less than 117 / 5000.
      #expect(abs(average! - exact[point.step / 10 - 1]) < 0.03)
    }
  }

  /// Compared with the sum over all values so far, with exponentially decreasing weights.
  @Test func movingAverageIsTheWeightedMeanOfPrecedingValues() throws {
    let values: [Double?] = [3, 1, nil, 4, 1, 5, 9, 2, 6]
    let span = 4
    let averages = Curve.movingAverages(try series("loss", values).stretches, span: span)
    for (index, average) in averages.enumerated() {
      guard values[index] != nil else {
        #expect(average == nil)
        continue
      }
      let past = values[...index].compactMap(\.self)
      let weights = past.indices.map { pow(1 - 2 / Double(span + 1), Double(past.count - 1 - $0)) }
      let expected = zip(past, weights).map(*).reduce(0, +) / weights.reduce(0, +)
      // A few roundings of numbers below 10.
      #expect(abs(average! - expected) < 1e-14)
    }
  }

  @Test func knownNamesComeFirstAndCountersAreNoCurves() throws {
    let lines = [
      "{\"step\": 1, \"images\": 4, \"fid\": 1, \"accuracy\": 1, \"images_per_second\": 1, \"loss\": 1, \"seconds\": 1}"
    ]
    let curves = Curve.all(of: try metricsLog(Array(lines.joined().utf8)))
    #expect(curves.map(\.name) == ["loss", "images_per_second", "accuracy", "fid"])
    #expect(curves[1].unit == "images/s")
    let fields = Curve.all(of: try metricsLog(Array(lines.joined().utf8)), noun: "field")
    #expect(fields.map(\.unit) == ["", "fields/s", "", ""])
  }
}

@Suite struct AxisTests {
  @Test(arguments: [
    (0.03...1.02, ["0", "0.2", "0.4", "0.6", "0.8", "1", "1.2"]), (0.9...1.1, ["0.9", "0.95", "1", "1.05", "1.1"]),
    (0...0.001, ["0", "0.0002", "0.0004", "0.0006", "0.0008", "0.001"]),
    (0...2e-5, ["0", "5e-6", "1e-5", "1.5e-5", "2e-5"]),
    (9.47...9.4701, ["9.47", "9.47002", "9.47004", "9.47006", "9.47008", "9.4701"]),
    (3...48_000, ["0", "10k", "20k", "30k", "40k", "50k"]), (-3...5, ["-4", "-2", "0", "2", "4", "6"]),
    (5...5, ["2", "3", "4", "5", "6", "7", "8"]), (0...0, ["-1", "-0.5", "0", "0.5", "1"]),
    (1.2e6...2.1e6, ["1.2M", "1.4M", "1.6M", "1.8M", "2M", "2.2M"]),
  ])
  func linearTicksAreRoundNumbers(range: ClosedRange<Double>, labels: [String]) {
    let axis = Axis.linear(covering: range)
    #expect(axis.ticks.map(\.label) == labels)
    #expect(axis.position(of: range.lowerBound) >= 0 && axis.position(of: range.upperBound) <= 1)
  }

  @Test(arguments: [
    (0.03...1.02, ["0.02", "0.05", "0.1", "0.2", "0.5", "1", "2"]),
    (1e-4...1e4, ["0.0001", "0.01", "1", "100", "10k"]),
    (0.5...0.9, ["0.5", "0.7", "1"]),
  ])
  func logarithmicTicksAreRoundNumbers(range: ClosedRange<Double>, labels: [String]) {
    let axis = Axis.logarithmic(covering: range)
    #expect(axis?.ticks.map(\.label) == labels)
    #expect(axis!.position(of: range.lowerBound) >= 0 && axis!.position(of: range.upperBound) <= 1)
  }

  @Test func logarithmicAxisNeedsPositiveNumbers() {
    #expect(Axis.logarithmic(covering: 0...1) == nil)
    #expect(Axis.logarithmic(covering: -1...1) == nil)
  }

  @Test func positionsAreUniformInTheirScale() {
    #expect(Axis.linear(covering: 0...10).position(of: 5) == 0.5)
    // A rounding of the logarithm.
    #expect(abs(Axis.logarithmic(covering: 1e-2...1e2)!.position(of: 1) - 0.5) < 1e-15)
  }

  @Test(arguments: [1, 7, 200, 3000, 800_000])
  func axisOfStepsEndsAtTheLast(last: Int) {
    let axis = Axis.steps(upTo: last)
    #expect(axis.position(of: 0) == 0 && axis.position(of: Double(last)) == 1)
    #expect(axis.ticks.count >= 2 && axis.ticks.count <= 6)
    #expect(axis.ticks.allSatisfy { $0.value == $0.value.rounded() })
  }

  private static let maximum = Double.greatestFiniteMagnitude
  private static let tiny = Double.leastNonzeroMagnitude
  private static let extremes = [
    1e-300...1e300, 1e300...1e300, 123_456_789_012...123_456_789_013, -1e-12...1e-12, -1e308...1e308,
    -maximum...maximum,
    maximum...maximum, -maximum ... -maximum, 0...maximum, tiny...tiny, tiny...2 * tiny, 0...tiny, -tiny...tiny,
    tiny...maximum,
    1e308...1.0000000000000002e308, 1e-290...3e-290, 1e290...7e290, -1e291...1e-291, 4 * tiny...1e-300,
  ]

  @Test(arguments: extremes) func extremeRangesHaveAnAxis(range: ClosedRange<Double>) {
    let axis = Axis.linear(covering: range)
    #expect(axis.lower < axis.upper && (2...20).contains(axis.ticks.count))
    #expect(axis.lower.isFinite && axis.upper.isFinite && axis.ticks.allSatisfy { $0.value.isFinite })
    #expect(
      (0...1).contains(axis.position(of: range.lowerBound)) && (0...1).contains(axis.position(of: range.upperBound)))
    guard let axis = Axis.logarithmic(covering: range) else { return }
    #expect((1...20).contains(axis.ticks.count) && axis.lower > 0 && axis.upper.isFinite)
    #expect(
      (0...1).contains(axis.position(of: range.lowerBound)) && (0...1).contains(axis.position(of: range.upperBound)))
  }
}
