@preconcurrency import Glibc
import Synchronization

/// Standard output, which receives a command's results; failing to write them is an error.
package enum StandardOutput {
  /// Makes sure that standard input, output and error are open. Otherwise the first file that is opened would get the
  /// number of a closed one, and text would be written into that file.
  package static func takeStandardDescriptors() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
      // It gets the lowest free number, which is this one; writing to it fails, as it would have before.
      _ = open("/dev/null", O_RDONLY)
    }
  }

  /// The error number of the first lost text; 0 if none was lost.
  private static let firstFailure = Mutex<Int32>(0)

  /// Writes text immediately, after everything printed before.
  package static func write(_ text: String) {
    // A long text is written at once, and only the failing call knows the reason.
    noteFailure(min(0, fputs(text, stdout)))
    noteFailure(fflush(stdout))
  }

  /// Writes one or more lines in printable form.
  package static func print(_ text: String = "") { write(text.printable + "\n") }

  private static func noteFailure(_ status: Int32) {
    let code = errno
    if status != 0 { firstFailure.withLock { if $0 == 0 { $0 = code } } }
  }

  /// Flushes buffered text.
  /// - Throws: `FileError` if any text written or printed so far was lost.
  package static func flush() throws(FileError) {
    noteFailure(fflush(stdout))
    let code = firstFailure.withLock { $0 }
    guard code == 0, ferror(stdout) == 0 else {
      let reason = code == 0 ? "some of the text is lost" : String(cString: strerror(code))
      throw FileError(cannot: "write to", "standard output", reason: reason, kind: .other)
    }
  }
}
