@preconcurrency import Foundation
import Synchronization

/// Standard output, where a command's results go: what does not arrive there is an error.
public enum StandardOutput {
  /// Makes sure that standard input, output and error are taken. Of one that is closed the number would go to the first
  /// file that is opened, and text would be written into that file.
  public static func takeStandardDescriptors() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
      // It gets the lowest number that is free, this one; and writing to it fails, as it would have.
      _ = open("/dev/null", O_RDONLY)
    }
  }

  /// Why text was lost, by the system's number; 0 if none was.
  private static let firstFailure = Mutex<Int32>(0)

  /// Writes text at once, after what was printed before.
  public static func write(_ text: String) {
    // A long text is written at once, and only the call that failed knows why.
    noteFailure(min(0, fputs(text, stdout)))
    noteFailure(fflush(stdout))
  }

  /// Writes a line, or several, as a terminal can show them.
  public static func print(_ text: String = "") { write(text.printable + "\n") }

  private static func noteFailure(_ status: Int32) {
    let code = errno
    if status != 0 { firstFailure.withLock { if $0 == 0 { $0 = code } } }
  }

  /// Writes what is still kept back.
  /// - Throws: `FileError` if any of what was written or printed so far has been lost.
  public static func flush() throws(FileError) {
    noteFailure(fflush(stdout))
    let code = firstFailure.withLock { $0 }
    guard code == 0, ferror(stdout) == 0 else {
      let reason = code == 0 ? "some of the text is lost" : String(cString: strerror(code))
      throw FileError(cannot: "write to", "standard output", reason: reason, kind: .other)
    }
  }
}
