import Logging
import Synchronization

/// The console output of a run: the progress line, and messages above it. Only rank 0 writes.
public final class RunReporter: Sendable {
  private let line: SharedLine?
  /// Notices and warnings.
  public let log: Logger

  /// - Parameter isSpeaking: whether this process writes anything.
  public init(isSpeaking: Bool) {
    let shared = isSpeaking ? SharedLine(ProgressLine.onStandardOutput()) : nil
    line = shared
    log = Logger(label: "ddpm-mpi") { _ -> any LogHandler in
      if let shared { LineLogHandler(line: shared) } else { SwiftLogNoOpLogHandler() }
    }
  }

  public func show(_ progress: some ProgressText, isMilestone: Bool) {
    line?.with { $0.show(progress, isMilestone: isMilestone) }
  }

  /// Replaces the progress line on a terminal at once; without a terminal nothing is written.
  public func showLive(_ progress: some ProgressText) {
    line?.with { $0.showLive(progress) }
  }

  public func message(_ text: String) {
    line?.with { $0.message(text) }
  }

  /// Removes the progress line.
  public func clear() {
    line?.with { $0.clear() }
  }

  /// Leaves the progress line as it is, so that other output can follow.
  public func finish() {
    line?.with { $0.finish() }
  }
}

/// The progress line that the training loop and the log share.
final class SharedLine: @unchecked Sendable {
  private var line: ProgressLine
  private let lock = Mutex<Void>(())

  init(_ line: ProgressLine) {
    self.line = line
  }

  func with(_ body: (inout ProgressLine) -> Void) {
    lock.withLock { _ in body(&line) }
  }
}

/// Prints log messages above the progress line: notices unchanged, warnings and errors with a prefix.
struct LineLogHandler: LogHandler {
  let line: SharedLine
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .info

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let mark = event.level >= .warning ? "\(event.level): " : ""
    line.with { $0.message("\(mark)\(event.message)") }
  }
}
