import Files
import Foundation

/// Shows how far a run is: one live line on a terminal, plain lines at intervals elsewhere (files, batch systems).
///
/// No colours are used, so there are none to turn off with NO_COLOR. Only rank 0 makes one.
public struct ProgressLine {
  private let terminal: Terminal?
  private let write: (String) -> Void
  private let shortestInterval: Duration
  private var live = ""
  private var lastDrawn: ContinuousClock.Instant?

  /// - Parameters:
  ///   - terminal: where a live line is possible.
  ///   - shortestInterval: live lines are rewritten no more often than this.
  ///   - write: takes the text.
  public init(
    terminal: Terminal?, shortestInterval: Duration = .milliseconds(100), write: @escaping (String) -> Void
  ) {
    self.terminal = terminal
    self.shortestInterval = shortestInterval
    self.write = write
  }

  /// A progress line on standard output. Text that cannot be written stops no work: it is an error when the program
  /// ends.
  public static func onStandardOutput() -> ProgressLine {
    ProgressLine(terminal: .onStandardOutput(), write: StandardOutput.write)
  }

  /// Shows `progress`. Where there is no terminal, only if it is a milestone: a step to log, or the last one.
  public mutating func show(_ progress: some ProgressText, isMilestone: Bool) {
    guard let terminal else {
      if isMilestone { write(progress.line(width: nil).printable + "\n") }
      return
    }
    if !isMilestone, let lastDrawn, ContinuousClock.now - lastDrawn < shortestInterval { return }
    draw(progress, on: terminal)
  }

  /// Replaces a live line at once, such as one of other work that is done now. Elsewhere nothing is written.
  public mutating func showLive(_ progress: some ProgressText) {
    if let terminal { draw(progress, on: terminal) }
  }

  private mutating func draw(_ progress: some ProgressText, on terminal: Terminal) {
    lastDrawn = .now
    // A full last column would move the cursor to the next line on some terminals.
    live = progress.line(width: max(1, terminal.columns() - 1)).printable
    write(Self.clearLine + live)
  }

  /// Prints `text` on lines of its own; a live line goes on below.
  public mutating func message(_ text: String) {
    let text = text.printable + "\n"
    write(live.isEmpty ? text : Self.clearLine + text + live)
  }

  /// Removes a live line.
  public mutating func clear() {
    if !live.isEmpty { write(Self.clearLine) }
    live = ""
    lastDrawn = nil
  }

  /// Leaves a live line as it stands, so that other output can follow.
  public mutating func finish() {
    if !live.isEmpty { write("\n") }
    live = ""
    lastDrawn = nil
  }

  /// To the first column, and erase to the end of the line (ECMA-48 EL).
  private static let clearLine = "\r\u{1B}[K"
}
