import Files
import FoundationEssentials
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
  private var rate = RateMeter()
  private var last = ContinuousClock.now
  private var lastDone = 0

  /// - Parameter count: the number of images or samples.
  init(count: Int) { self.count = count }

  mutating func show(done: Int, on reporter: RunReporter) {
    rate.record(done - lastDone, seconds: last.secondsUntilNow)
    // Without a terminal, a line for every tenth is enough.
    let isMilestone = done * 10 / count > lastDone * 10 / count
    (last, lastDone) = (.now, done)
    reporter.show(
      ImageProgress("packing", done: done, count: count, imagesPerSecond: rate.perSecond), isMilestone: isMilestone)
  }
}

/// The size of a written file for a summary: `184.4 MB`.
func sizeText(of path: String) -> String {
  let bytes = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
  return "\(ProgressFormat.decimal(Double(bytes) / 1e6, places: 1)) MB"
}
