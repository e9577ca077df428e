import Files
import MessagePassing
import Ranks
import Reporting
import Tensors

/// Calls `body` to pack into a file, in this process alone.
/// - Parameter replaces: whether the file may exist.
/// - Throws: `JobFailure`.
func pack(
  to output: String, replaces: Bool, communicator: Communicator, _ body: (RunReporter) throws -> Void
) throws {
  try requireOneProcess("pack", communicator, advice: "--threads makes it faster")
  let reporter = RunReporter(isSpeaking: true)
  defer { reporter.finish() }
  try communicator.together {
    _ = try OutputFile(output, replaces: replaces)
    try body(reporter)
  }
}

/// Shows how far packing has come.
struct PackProgress {
  let count: Int
  let speedUnit: String
  private var rate = RateMeter()
  private var last = ContinuousClock.now
  private var lastDone = 0

  /// - Parameters:
  ///   - count: the number of images or fields.
  ///   - speedUnit: what is said of their number per second.
  init(count: Int, speedUnit: String = "img/s") {
    self.count = count
    self.speedUnit = speedUnit
  }

  mutating func show(done: Int, on reporter: RunReporter) {
    rate.record(done - lastDone, seconds: last.secondsUntilNow)
    // Without a terminal, a line for every tenth is enough.
    let isMilestone = done * 10 / count > lastDone * 10 / count
    (last, lastDone) = (.now, done)
    reporter.show(
      ImageProgress(
        "packing", done: done, count: count, imagesPerSecond: rate.perSecond, speedUnit: speedUnit),
      isMilestone: isMilestone)
  }
}

/// The size of a written file for a summary: `184.4 MB`.
/// - Throws: `FileError`.
func sizeText(of path: String) throws(FileError) -> String {
  let bytes = try RegularFile(path).size
  let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
  guard let (size, unit) = units.first(where: { Double(bytes) >= $0.0 }) else { return "\(bytes) B" }
  return "\(ProgressFormat.decimal(Double(bytes) / size, places: 1)) \(unit)"
}
