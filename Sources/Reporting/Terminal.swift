import Foundation

/// A terminal that lines can be rewritten on.
public struct Terminal {
  /// Its width in characters, asked anew each time, since windows change.
  public let columns: () -> Int

  public init(columns: @escaping () -> Int) {
    self.columns = columns
  }

  /// The terminal on standard output, or nil where output goes elsewhere or `TERM` is `dumb`.
  ///
  /// Under mpirun every rank's standard output is a terminal of mpirun's making, whatever mpirun itself writes to; it
  /// has mpirun's width only if that is a terminal, and no width otherwise.
  public static func onStandardOutput(
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
