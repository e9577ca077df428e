import Logging
import Synchronization

/// The console output of a run: the progress line, and messages above it. Only rank 0 writes. The training loop and the
/// log share it.
package final class RunReporter: @unchecked Sendable {
  /// nil if this process writes nothing.
  private var line: ProgressLine?
  private let lock = Mutex<Void>(())

  /// - Parameter isSpeaking: whether this process writes anything.
  package init(isSpeaking: Bool) {
    line = isSpeaking ? ProgressLine.onStandardOutput() : nil
  }

  /// Notices and warnings.
  package var log: Logger { Logger(label: "ddpm-mpi") { _ in LineLogHandler(reporter: self) } }

  package func show(_ progress: some ProgressText, isMilestone: Bool) {
    withLine { $0.show(progress, isMilestone: isMilestone) }
  }

  /// Replaces the progress line on a terminal at once; without a terminal nothing is written.
  package func showLive(_ progress: some ProgressText) {
    withLine { $0.showLive(progress) }
  }

  package func message(_ text: String) {
    withLine { $0.message(text) }
  }

  /// Removes the progress line.
  package func clear() {
    withLine { $0.clear() }
  }

  /// Leaves the progress line as it is, so that other output can follow.
  package func finish() {
    withLine { $0.finish() }
  }

  private func withLine(_ body: (inout ProgressLine) -> Void) {
    lock.withLock { _ in
      if line != nil { body(&line!) }
    }
  }
}

/// Prints log messages above the progress line: notices unchanged, warnings and errors with a prefix.
struct LineLogHandler: LogHandler {
  let reporter: RunReporter
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .info

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let mark = event.level >= .warning ? "\(event.level): " : ""
    reporter.message("\(mark)\(event.message)")
  }
}
