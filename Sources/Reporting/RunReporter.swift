import Logging
import Synchronization

/// What a run tells its user: the progress line, and messages above it. Rank 0 speaks for all ranks; the others are
/// silent.
public final class RunReporter: Sendable {
  private let line: SharedLine?
  /// Notices and warnings.
  public let log: Logger

  /// - Parameter isSpeaking: whether this process writes at all.
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

  /// Replaces the progress line on a terminal at once; elsewhere nothing is written.
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

  /// Leaves the progress line as it stands, so that other output can follow.
  public func finish() {
    line?.with { $0.finish() }
  }
}

/// The one progress line, which the training loop and the log write to.
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

/// Log messages as lines above the progress line: notices as they are, warnings and errors marked.
struct LineLogHandler: LogHandler {
  let line: SharedLine
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .info

  init(line: SharedLine) {
    self.line = line
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let mark = event.level >= .warning ? "\(event.level): " : ""
    line.with { $0.message("\(mark)\(event.message)") }
  }
}
