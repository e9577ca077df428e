import FoundationEssentials
import Glibc

/// A terminal on which lines can be rewritten.
package struct Terminal {
  /// Its width in characters, queried each time, since windows are resized.
  package let columns: () -> Int

  package init(columns: @escaping () -> Int) {
    self.columns = columns
  }

  /// The terminal on standard output, or nil if output goes elsewhere or `TERM` is `dumb`.
  ///
  /// Under mpirun, every rank's standard output is a pseudo-terminal of mpirun, wherever mpirun itself writes; it has
  /// mpirun's width only if that is a terminal, and no width otherwise.
  package static func onStandardOutput(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> Terminal? {
    guard isatty(STDOUT_FILENO) == 1, environment["TERM", default: "dumb"] != "dumb", width() > 0 else { return nil }
    return Terminal(columns: width)
  }

  private static func width() -> Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 else { return 0 }
    return Int(size.ws_col)
  }
}
