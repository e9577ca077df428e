import Files

/// Shows the progress of a run: one live line on a terminal, plain lines at intervals elsewhere (files, batch systems).
///
/// No colours are used, so NO_COLOR has nothing to turn off. Only rank 0 creates one.
package struct ProgressLine {
  private let terminal: Terminal?
  private let write: (String) -> Void
  private let shortestInterval: Duration
  private var live = ""
  private var lastDrawn: ContinuousClock.Instant?

  /// - Parameters:
  ///   - terminal: the terminal for a live line, or nil.
  ///   - shortestInterval: the minimum time between two updates of the live line.
  ///   - write: receives the text.
  package init(
    terminal: Terminal?, shortestInterval: Duration = .milliseconds(100), write: @escaping (String) -> Void
  ) {
    self.terminal = terminal
    self.shortestInterval = shortestInterval
    self.write = write
  }

  /// A progress line on standard output. If text cannot be written, work continues, and the error is reported when the
  /// program ends.
  package static func onStandardOutput() -> ProgressLine {
    ProgressLine(terminal: .onStandardOutput(), write: StandardOutput.write)
  }

  /// Shows `progress`. Without a terminal, it is shown only if it is a milestone: a step to log, or the last one.
  package mutating func show(_ progress: some ProgressText, isMilestone: Bool) {
    guard let terminal else {
      if isMilestone { write(progress.line(width: nil).printable + "\n") }
      return
    }
    if !isMilestone, let lastDrawn, ContinuousClock.now - lastDrawn < shortestInterval { return }
    draw(progress, on: terminal)
  }

  /// Replaces a live line at once, for instance when different work starts. Without a terminal nothing is written.
  package mutating func showLive(_ progress: some ProgressText) {
    if let terminal { draw(progress, on: terminal) }
  }

  private mutating func draw(_ progress: some ProgressText, on terminal: Terminal) {
    lastDrawn = .now
    // A full last column would move the cursor to the next line on some terminals.
    live = progress.line(width: max(1, terminal.columns() - 1)).printable
    write(Self.clearLine + live)
  }

  /// Prints `text` on lines of its own; a live line continues below.
  package mutating func message(_ text: String) {
    let text = text.printable + "\n"
    write(live.isEmpty ? text : Self.clearLine + text + live)
  }

  /// Removes a live line.
  package mutating func clear() { end(Self.clearLine) }

  /// Leaves a live line as it is, so that other output can follow.
  package mutating func finish() { end("\n") }

  private mutating func end(_ terminator: String) {
    if !live.isEmpty { write(terminator) }
    live = ""
    lastDrawn = nil
  }

  /// Moves to the first column and erases the line (ECMA-48 EL).
  private static let clearLine = "\r\u{1B}[K"
}
