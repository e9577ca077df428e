import Reporting
import Testing

private let progress = TrainingProgress(
  MetricsRecord(
    step: 120, images: 7680, loss: 0.04321, gradientNorm: 0.312, learningRate: 1e-3, imagesPerSecond: 812, seconds: 9),
  stepCount: 2000, imagesPerStep: 64)

/// Collects what a progress line writes.
private final class Screen {
  var text = ""
}

@Suite struct ProgressTests {
  @Test(arguments: [
    (0.0, "0:00"), (59.4, "0:59"), (59.6, "1:00"), (133, "2:13"), (3599, "59:59"), (3733, "1:02:13"),
    (86400 * 3 + 61, "3d 0:01:01"), (-5, "0:00"), (.infinity, "?"),
  ])
  func durationReadsAsClockTime(seconds: Double, expected: String) {
    #expect(ProgressFormat.duration(seconds: seconds) == expected)
  }

  @Test(arguments: [
    (0.04321, "0.0432"), (0, "0.0000"), (12.5, "12.5000"), (1e-6, "1.00e-06"), (123456, "1.23e+05"), (.nan, "nan"),
    (.infinity, "inf"),
  ])
  func lossIsNeverHidden(loss: Double, expected: String) {
    #expect(ProgressFormat.decimal(loss, places: 4) == expected)
  }

  @Test func trainingLineShowsEverything() {
    #expect(progress.line() == "step 120/2000  loss 0.0432  grad 0.31  812 img/s  2:28 left")
  }

  @Test func fieldsAreNotCalledImages() {
    var fields = progress
    fields.speedUnit = "fields/s"
    #expect(fields.line() == "step 120/2000  loss 0.0432  grad 0.31  812 fields/s  2:28 left")
  }

  @Test func unknownSpeedIsOmitted() {
    var start = progress
    start.record.imagesPerSecond = 0
    #expect(start.secondsLeft == nil)
    #expect(start.line() == "step 120/2000  loss 0.0432  grad 0.31")
  }

  @Test(arguments: 0...70)
  func trainingLineFitsTheTerminal(width: Int) {
    #expect(progress.line(width: width).count <= width)
  }

  @Test func narrowTerminalShowsTheMostUseful() {
    #expect(progress.line(width: 58) == "step 120/2000  loss 0.0432  812 img/s  2:28 left")
    #expect(progress.line(width: 40) == "step 120/2000  loss 0.0432  2:28 left")
    #expect(progress.line(width: 16) == "step 120/2000")
    #expect(progress.line(width: 6) == "step 1")
  }

  @Test func samplingLineCountsSteps() {
    #expect(SamplingProgress(imageCount: 64, step: 40, stepCount: 100).line() == "sampling 64 images: step 40/100")
    #expect(SamplingProgress(imageCount: 1, step: 0, stepCount: 9).line(width: 16) == "sampling 1 image")
  }

  @Test func imagesAreCountedBesideABar() {
    let progress = ImageProgress("packing", done: 30_000, count: 60_000, imagesPerSecond: 1500)
    #expect(progress.line() == "packing [============>           ] 30,000/60,000  1500 img/s  0:20 left")
    let fields = ImageProgress("packing", done: 1, count: 2, imagesPerSecond: 10, speedUnit: "fields/s")
    #expect(fields.line().hasSuffix(" 1/2  10.0 fields/s  0:00 left"))
    #expect(progress.line(width: 60) == "packing [=====>    ] 30,000/60,000  0:20 left")
    #expect(progress.line(width: 22) == "packing 30,000/60,000")
    for width in 0...80 { #expect(progress.line(width: width).count <= width) }
    let ends = [(0, ">         "), (60_000, "==========")]
    for (done, bar) in ends {
      let line = ImageProgress("packing", done: done, count: 60_000, imagesPerSecond: 0).line(width: 40)
      #expect(line.hasPrefix("packing [\(bar)] "))
    }
  }

  @Test func withoutATerminalOnlyMilestonesArePrinted() {
    let screen = Screen()
    var line = ProgressLine(terminal: nil) { screen.text += $0 }
    line.show(SamplingProgress(imageCount: 2, step: 1, stepCount: 3), isMilestone: false)
    line.show(SamplingProgress(imageCount: 2, step: 3, stepCount: 3), isMilestone: true)
    line.message("saved")
    line.finish()
    #expect(screen.text == "sampling 2 images: step 3/3\nsaved\n")
  }

  @Test func liveLineIsRewrittenAndLeftStanding() {
    let screen = Screen()
    var line = ProgressLine(terminal: Terminal { 80 }, shortestInterval: .zero) { screen.text += $0 }
    line.show(SamplingProgress(imageCount: 2, step: 1, stepCount: 3), isMilestone: false)
    line.show(SamplingProgress(imageCount: 2, step: 2, stepCount: 3), isMilestone: false)
    line.finish()
    #expect(screen.text == "\r\u{1B}[Ksampling 2 images: step 1/3\r\u{1B}[Ksampling 2 images: step 2/3\n")
  }

  @Test func messageMovesTheLiveLineDown() {
    let screen = Screen()
    var line = ProgressLine(terminal: Terminal { 12 }, shortestInterval: .zero) { screen.text += $0 }
    line.message("first")
    line.show(SamplingProgress(imageCount: 2, step: 1, stepCount: 3), isMilestone: false)
    screen.text = ""
    line.message("saved")
    #expect(screen.text == "\r\u{1B}[Ksaved\nsampling 2 ")
  }

  @Test func liveLineIsNotRewrittenTooOften() {
    let screen = Screen()
    var line = ProgressLine(terminal: Terminal { 80 }, shortestInterval: .seconds(60)) { screen.text += $0 }
    for step in 1...5 { line.show(SamplingProgress(imageCount: 2, step: step, stepCount: 5), isMilestone: step == 5) }
    #expect(screen.text == "\r\u{1B}[Ksampling 2 images: step 1/5\r\u{1B}[Ksampling 2 images: step 5/5")
  }

  @Test func liveLineOfFinishedWorkIsReplacedOrRemoved() {
    let screen = Screen()
    var line = ProgressLine(terminal: Terminal { 80 }, shortestInterval: .seconds(60)) { screen.text += $0 }
    line.show(SamplingProgress(imageCount: 2, step: 1, stepCount: 3), isMilestone: false)
    line.showLive(SamplingProgress(imageCount: 4, step: 5, stepCount: 6))
    line.clear()
    line.message("saved")
    #expect(
      screen.text == "\r\u{1B}[Ksampling 2 images: step 1/3\r\u{1B}[Ksampling 4 images: step 5/6\r\u{1B}[Ksaved\n")

    screen.text = ""
    var log = ProgressLine(terminal: nil) { screen.text += $0 }
    log.showLive(SamplingProgress(imageCount: 4, step: 5, stepCount: 6))
    log.clear()
    #expect(screen.text.isEmpty)
  }

  @Test func countsAreReadable() {
    #expect([0, 999, 1000, 35_746_307].map(ProgressFormat.count) == ["0", "999", "1,000", "35,746,307"])
    #expect([-1, -999, -1000].map(ProgressFormat.count) == ["-1", "-999", "-1,000"])
  }

  @Test func dumbTerminalIsNotATerminal() {
    #expect(Terminal.onStandardOutput(environment: ["TERM": "dumb"]) == nil)
    #expect(Terminal.onStandardOutput(environment: [:]) == nil)
  }

  @Test func rateCountsOnlyRecentWork() {
    var meter = RateMeter(window: 10)
    #expect(meter.perSecond == 0)
    meter.record(100, seconds: 1)
    #expect(meter.perSecond == 100)
    for _ in 1...20 { meter.record(50, seconds: 1) }
    #expect(meter.perSecond == 50)
    meter.record(10, seconds: 40)
    #expect(meter.perSecond == 0.25)
  }
}
